// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_POSIX_HPP
#define VICINAL_STORAGE_POSIX_HPP

#include <vicinal/core/config.hpp>

#if VICINAL_HAS_FILES

#    include <vicinal/storage/huge_pages.hpp>

#    include <array>
#    include <cerrno>
#    include <cstddef>
#    include <cstdint>
#    include <cstdio>
#    include <limits>
#    include <string>
#    include <vector>

#    include <dirent.h>
#    include <fcntl.h>
#    include <sys/file.h>
#    include <sys/mman.h>
#    include <sys/stat.h>
#    include <time.h>
#    include <unistd.h>
#    if defined(__APPLE__)
#        include <sys/random.h>
#    endif

#    if defined(MAP_ANONYMOUS)
#        define VICINAL_MAP_ANONYMOUS MAP_ANONYMOUS
#    else
#        define VICINAL_MAP_ANONYMOUS MAP_ANON
#    endif

namespace vicinal::inline VICINAL_ABI::storage {

/// The operating-system calls of the durable storages, one thin function each: -1 (or nullptr) and
/// errno on failure. The storages take this as a template parameter and call nothing else, so that
/// a test can fail, tear or drop any one of them. Interrupted and short calls are the callers' to
/// repeat. All descriptors are closed on exec; names inside a store are never followed as links.
struct posix {
    static int open_directory(char const* path) noexcept {
        return ::open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    static int make_directory(char const* path) noexcept { return ::mkdir(path, 0700); }
    static int open_read(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    }
    static int open_write(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
    }
    /// Makes the file, or opens the one that is there, with its contents.
    static int open_or_make(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    /// Makes the file, or empties the one that is there.
    static int open_empty(int directory, char const* name) noexcept {
        return ::openat(directory, name, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    }
    static int close_file(int file) noexcept { return ::close(file); }

    static std::ptrdiff_t read_at(int file, void* into, std::size_t n,
                                  std::uint64_t offset) noexcept {
        return fits(offset) ? ::pread(file, into, n, static_cast<::off_t>(offset)) : -1;
    }
    static std::ptrdiff_t write_at(int file, void const* from, std::size_t n,
                                   std::uint64_t offset) noexcept {
        return fits(offset) ? ::pwrite(file, from, n, static_cast<::off_t>(offset)) : -1;
    }
    /// Tells the system that a piece of a file is about to be read; a wish.
    static void will_read([[maybe_unused]] int file, [[maybe_unused]] std::size_t n,
                          [[maybe_unused]] std::uint64_t offset) noexcept {
#    if defined(POSIX_FADV_WILLNEED)
        if (fits(offset))
            static_cast<void>(::posix_fadvise(file, static_cast<::off_t>(offset),
                                              static_cast<::off_t>(n), POSIX_FADV_WILLNEED));
#    endif
    }
    static int truncate_file(int file, std::uint64_t bytes) noexcept {
        return fits(bytes) ? ::ftruncate(file, static_cast<::off_t>(bytes)) : -1;
    }
    static std::int64_t file_bytes(int file) noexcept {
        struct ::stat s {};
        if (::fstat(file, &s) != 0) return -1;
        return static_cast<std::int64_t>(s.st_size);
    }

    /// The contents of a file and its size reach the disk.
    static int sync_data(int file) noexcept {
#    if defined(__APPLE__)
        return sync_all(file);
#    else
        return ::fdatasync(file);
#    endif
    }
    /// A file, or the names in a directory, reach the disk.
    static int sync_all(int file) noexcept {
#    if defined(__APPLE__)
        // fsync leaves the data in the drive's own cache there.
        if (::fcntl(file, F_FULLFSYNC) == 0) return 0;
#    endif
        return ::fsync(file);
    }
    static int rename_file(int directory, char const* from, char const* to) noexcept {
        return ::renameat(directory, from, directory, to);
    }
    /// Gives each of two names what the other has, in one step: EINVAL or ENOSYS where the system
    /// or the file system can't.
    static int exchange_names(int directory, char const* a, char const* b) noexcept {
#    if defined(RENAME_EXCHANGE)
        return ::renameat2(directory, a, directory, b, RENAME_EXCHANGE);
#    elif defined(RENAME_SWAP)
        return ::renameatx_np(directory, a, directory, b, RENAME_SWAP);
#    else
        static_cast<void>(directory);
        static_cast<void>(a);
        static_cast<void>(b);
        errno = ENOSYS;
        return -1;
#    endif
    }
    static int remove_file(int directory, char const* name) noexcept {
        return ::unlinkat(directory, name, 0);
    }
    /// Only an empty one.
    static int remove_directory(int directory, char const* name) noexcept {
        return ::unlinkat(directory, name, AT_REMOVEDIR);
    }
    /// Another number for the same open file.
    static int duplicate(int file) noexcept { return ::fcntl(file, F_DUPFD_CLOEXEC, 0); }
    /// 1 where both numbers are of one file or directory, 0 where not.
    static int same_file(int a, int b) noexcept {
        struct ::stat of_a {};
        struct ::stat of_b {};
        if (::fstat(a, &of_a) != 0 || ::fstat(b, &of_b) != 0) return -1;
        return of_a.st_dev == of_b.st_dev && of_a.st_ino == of_b.st_ino ? 1 : 0;
    }
    /// Belongs to the open file, not to the process: a second open in the same process is refused
    /// too, and closing another descriptor of the file does not give it up.
    static int try_lock(int file) noexcept { return ::flock(file, LOCK_EX | LOCK_NB); }

    /// The names in a directory, without "." and "..".
    static int list(int directory, std::vector<std::string>& names) {
        names.clear();
        int const again = ::openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (again < 0) return -1;
        ::DIR* const d = ::fdopendir(again);
        if (d == nullptr) {
            int const why = errno;
            ::close(again);
            errno = why;
            return -1;
        }
        int why = 0;
        {
            // Memory may run out between the names.
            struct closing {
                ::DIR* d;
                ~closing() { ::closedir(d); }
            } const held{d};
            errno = 0;
            while (auto const* e = ::readdir(held.d)) {
                std::string name(&e->d_name[0]);
                if (name != "." && name != "..") names.push_back(std::move(name));
                errno = 0;
            }
            why = errno;
        }
        errno = why;
        return why == 0 ? 0 : -1;
    }

    /// Address space without memory behind it: touching it faults until it is allowed or mapped.
    static void* reserve(std::size_t bytes) noexcept {
        int flags = MAP_PRIVATE | VICINAL_MAP_ANONYMOUS;
#    if defined(MAP_NORESERVE)
        flags |= MAP_NORESERVE;
#    endif
        void* const p = ::mmap(nullptr, bytes, PROT_NONE, flags, -1, 0);
        return p == MAP_FAILED ? nullptr : p;
    }
    /// Makes reserved pages readable and writable; they read as zero.
    static int allow(void* at, std::size_t bytes) noexcept {
        if (bytes >= huge_page) ask_for_huge_pages(at, bytes);
        return ::mprotect(at, bytes, PROT_READ | PROT_WRITE);
    }
    /// Puts a piece of a file into reserved address space. What is written there stays private.
    static int map_file(void* at, std::size_t bytes, int file, std::uint64_t offset) noexcept {
        if (!fits(offset)) return -1;
        void* const p = ::mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_FIXED, file,
                               static_cast<::off_t>(offset));
        return p == MAP_FAILED ? -1 : 0;
    }
    static int release(void* at, std::size_t bytes) noexcept { return ::munmap(at, bytes); }
    static std::size_t page_bytes() noexcept {
        return static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
    }

    /// Bytes that no other log has: up to 256 of them.
    static int random_bytes(void* into, std::size_t n) noexcept { return ::getentropy(into, n); }
    static long process_id() noexcept { return static_cast<long>(::getpid()); }
    static std::string host_name() {
        std::array<char, 256> name{};
        if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
        return name.data();
    }
    /// Seconds since 1970, UTC.
    static std::int64_t seconds() noexcept { return static_cast<std::int64_t>(::time(nullptr)); }
    static void pause(std::uint32_t milliseconds) noexcept {
        struct ::timespec const t{static_cast<::time_t>(milliseconds / 1000),
                                  static_cast<long>(milliseconds % 1000) * 1000000L};
        ::nanosleep(&t, nullptr);
    }

private:
    static bool fits(std::uint64_t offset) noexcept {
        if (offset <= static_cast<std::uint64_t>((std::numeric_limits<::off_t>::max)()))
            return true;
        errno = EOVERFLOW;
        return false;
    }
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#endif
