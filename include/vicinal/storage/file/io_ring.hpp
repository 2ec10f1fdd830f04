// SPDX-License-Identifier: MIT
#ifndef VICINAL_STORAGE_FILE_IO_RING_HPP
#define VICINAL_STORAGE_FILE_IO_RING_HPP

#include <vicinal/core/config.hpp>
#include <vicinal/storage/file/read_request.hpp>

#if VICINAL_HAS_FILES && defined(__linux__) && __has_include(<linux/io_uring.h>)
#    include <sys/mman.h>
#    include <sys/syscall.h>
#    if defined(__NR_io_uring_setup)
#        define VICINAL_HAS_IO_RING 1
#    endif
#endif
#if !defined(VICINAL_HAS_IO_RING)
#    define VICINAL_HAS_IO_RING 0
#endif

#if VICINAL_HAS_IO_RING

#    include <algorithm>
#    include <cerrno>
#    include <cstddef>
#    include <cstdint>
#    include <cstring>
#    include <memory>
#    include <new>
#    include <span>

#    include <linux/io_uring.h>
#    include <unistd.h>

namespace vicinal::inline VICINAL_ABI::storage {

/// A queue of reads that the kernel works on at once: io_uring, by its system calls (io_uring(7)).
/// One thread at a time uses it.
class io_ring {
public:
    static constexpr unsigned depth = 64;

    /// Null where the system has none or does not let this process have one.
    [[nodiscard]] static std::unique_ptr<io_ring> make() noexcept {
        std::unique_ptr<io_ring> r(new (std::nothrow) io_ring);
        if (!r || !r->open()) return nullptr;
        return r;
    }
    io_ring(io_ring const&) = delete;
    io_ring& operator=(io_ring const&) = delete;
    ~io_ring() {
        if (entries_ != nullptr) ::munmap(entries_, entry_bytes_);
        if (answers_map_ != nullptr && answers_map_ != queue_map_)
            ::munmap(answers_map_, answer_bytes_);
        if (queue_map_ != nullptr) ::munmap(queue_map_, queue_bytes_);
        if (number_ >= 0) ::close(number_);
    }

    /// Reads up to `depth` pieces; returns when none of them is under way any more. False where the
    /// ring is of no more use; what was not read then has done == -1, as has a piece that the
    /// kernel refused.
    [[nodiscard]] bool read(std::span<read_request> pieces) noexcept {
        auto const count = static_cast<unsigned>(pieces.size());
        auto tail = *tail_;
        for (unsigned i = 0; i < count; ++i, ++tail) {
            auto const at = tail & mask_;
            auto& e = entries_[at];
            std::memset(&e, 0, sizeof e);
            e.opcode = IORING_OP_READ;
            e.fd = pieces[i].file;
            e.off = pieces[i].offset;
            e.addr = reinterpret_cast<std::uintptr_t>(pieces[i].into);
            e.len = static_cast<std::uint32_t>(pieces[i].bytes);
            e.user_data = i;
            array_[at] = at;
        }
        __atomic_store_n(tail_, tail, __ATOMIC_RELEASE);
        unsigned submitted = 0;
        unsigned finished = 0;
        bool sound = true;
        while (sound ? finished < count : finished < submitted) {
            auto const left = sound ? count - submitted : 0;
            auto const n = ::syscall(__NR_io_uring_enter, number_, left, 1U, IORING_ENTER_GETEVENTS,
                                     nullptr, std::size_t{0});
            if (n >= 0)
                submitted += static_cast<unsigned>(n);
            else if (errno != EINTR && errno != EAGAIN && errno != EBUSY)
                sound = false;
            finished += take_answers(pieces);
            // What is under way writes to the caller's memory: there is no leaving before it ends.
            if (!sound && finished < submitted) ::usleep(100);
        }
        return sound;
    }

private:
    io_ring() = default;

    [[nodiscard]] bool open() noexcept {
        io_uring_params p;
        std::memset(&p, 0, sizeof p);
        number_ = static_cast<int>(::syscall(__NR_io_uring_setup, depth, &p));
        if (number_ < 0) return false;
        queue_bytes_ = p.sq_off.array + p.sq_entries * sizeof(unsigned);
        answer_bytes_ = p.cq_off.cqes + p.cq_entries * sizeof(io_uring_cqe);
        entry_bytes_ = p.sq_entries * sizeof(io_uring_sqe);
        bool const one = (p.features & IORING_FEAT_SINGLE_MMAP) != 0;
        if (one) queue_bytes_ = answer_bytes_ = (std::max)(queue_bytes_, answer_bytes_);
        queue_map_ = map(queue_bytes_, IORING_OFF_SQ_RING);
        answers_map_ = one ? queue_map_ : map(answer_bytes_, IORING_OFF_CQ_RING);
        entries_ = static_cast<io_uring_sqe*>(map(entry_bytes_, IORING_OFF_SQES));
        if (queue_map_ == nullptr || answers_map_ == nullptr || entries_ == nullptr) return false;
        auto* const queue = static_cast<std::byte*>(queue_map_);
        auto* const answers = static_cast<std::byte*>(answers_map_);
        tail_ = reinterpret_cast<unsigned*>(queue + p.sq_off.tail);
        mask_ = *reinterpret_cast<unsigned*>(queue + p.sq_off.ring_mask);
        array_ = reinterpret_cast<unsigned*>(queue + p.sq_off.array);
        answer_head_ = reinterpret_cast<unsigned*>(answers + p.cq_off.head);
        answer_tail_ = reinterpret_cast<unsigned*>(answers + p.cq_off.tail);
        answer_mask_ = *reinterpret_cast<unsigned*>(answers + p.cq_off.ring_mask);
        answers_ = reinterpret_cast<io_uring_cqe*>(answers + p.cq_off.cqes);
        return true;
    }
    [[nodiscard]] void* map(std::size_t bytes, std::uint64_t what) const noexcept {
        void* const p = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE,
                               number_, static_cast<::off_t>(what));
        return p == MAP_FAILED ? nullptr : p;
    }

    [[nodiscard]] unsigned take_answers(std::span<read_request> pieces) noexcept {
        unsigned taken = 0;
        auto head = *answer_head_;
        for (; head != __atomic_load_n(answer_tail_, __ATOMIC_ACQUIRE); ++head, ++taken) {
            auto const& a = answers_[head & answer_mask_];
            if (a.user_data < pieces.size())
                pieces[static_cast<std::size_t>(a.user_data)].done = a.res < 0 ? -1 : a.res;
        }
        __atomic_store_n(answer_head_, head, __ATOMIC_RELEASE);
        return taken;
    }

    int number_ = -1;
    void* queue_map_ = nullptr;
    void* answers_map_ = nullptr;
    io_uring_sqe* entries_ = nullptr;
    std::size_t queue_bytes_ = 0;
    std::size_t answer_bytes_ = 0;
    std::size_t entry_bytes_ = 0;
    unsigned* tail_ = nullptr;
    unsigned* array_ = nullptr;
    unsigned mask_ = 0;
    unsigned* answer_head_ = nullptr;
    unsigned* answer_tail_ = nullptr;
    unsigned answer_mask_ = 0;
    io_uring_cqe* answers_ = nullptr;
};

} // namespace vicinal::inline VICINAL_ABI::storage

#endif

#endif
