// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_PICKLE_HPP
#define VICINAL_BACKEND_CHROMA_PICKLE_HPP

#include <vicinal/backend/chroma/opcode.hpp>
#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// One value on the stack of the pickle machine. Text is a view into the file.
struct pickle_value {
    enum class kind : std::uint8_t {
        none,
        boolean,
        integer,
        text,
        bytes,
        dict,   // `number` is its place in the machine's dicts
        list,   // what is in it is forgotten
        tuple,  // the empty one
        symbol, // the class PersistentData
        object  // an instance of it: `number` as for dict, SIZE_MAX until BUILD
    };
    kind type = kind::none;
    std::int64_t number = 0;
    std::string_view text = {};
};

/// Reads the pickle of a Chroma index as data. It is never "unpickled": no name is looked up, no
/// object is made, the one class that may be named is Chroma's PersistentData, and every operation
/// outside a fixed list is refused by name and offset.
///
/// Memory is at most about 50 bytes a byte of the file, a few in real ones; nothing recurses.
class pickle_reader {
public:
    using kind = pickle_value::kind;
    using dict = std::vector<std::pair<pickle_value, pickle_value>>;

    /// `file` must outlive the reader: texts point into it.
    explicit pickle_reader(std::string_view file) noexcept : file_(file) {}

    /// The attributes of the one object, or the one dict, that the file holds.
    ///
    /// Errors: corrupt_source with the offset (cut off, a refused operation, operands of other
    /// kinds).
    [[nodiscard]] result<dict const*> read() {
        for (;;) {
            start_ = at_;
            if (at_ == file_.size()) return wrong("a further operation", "the end of the file");
            auto const code = static_cast<std::uint8_t>(file_[at_++]);
            if (static_cast<opcode>(code) == opcode::stop) break;
            VICINAL_CHECK(run(code));
        }
        if (at_ != file_.size()) return wrong("the end of the file", "more bytes");
        if (!marks_.empty() || stack_.size() != 1) return wrong("one value", "another number");
        auto const& top = stack_.back();
        bool const built = top.type == kind::object && top.number != unbuilt;
        if (top.type != kind::dict && !built) return wrong("a dict or PersistentData", "another");
        return &dicts_[static_cast<std::size_t>(top.number)];
    }

    /// The dict that a value of that kind stands for.
    [[nodiscard]] dict const& entries(pickle_value const& v) const {
        return dicts_[static_cast<std::size_t>(v.number)];
    }

private:
    static constexpr std::int64_t unbuilt = -1;

    [[nodiscard]] error wrong(std::string expected, std::string_view got) const {
        return error{errc::corrupt_source, std::move(expected),
                     std::string(got) + " at offset " + std::to_string(start_) + " of the pickle"};
    }

    result<void> run(std::uint8_t code) {
        switch (static_cast<opcode>(code)) {
            case opcode::proto: {
                auto const version = integer<std::uint8_t>();
                if (!version) return version.error();
                if (*version > 5) return wrong("a pickle protocol up to 5", "a newer one");
                return {};
            }
            case opcode::frame: {
                auto const length = integer<std::uint64_t>();
                if (!length) return length.error();
                if (*length > file_.size() - at_) return wrong("a whole frame", "less");
                return {};
            }
            case opcode::none: return push({});
            case opcode::newtrue: return push({kind::boolean, 1});
            case opcode::newfalse: return push({kind::boolean, 0});
            case opcode::binint1: return number<std::uint8_t>();
            case opcode::binint2: return number<std::uint16_t>();
            case opcode::binint: {
                auto const n = integer<std::uint32_t>();
                if (!n) return n.error();
                return push({kind::integer, static_cast<std::int32_t>(*n)});
            }
            case opcode::long1: return long_integer();
            case opcode::short_binunicode: return text<std::uint8_t>(kind::text);
            case opcode::binunicode: return text<std::uint32_t>(kind::text);
            case opcode::binunicode8: return text<std::uint64_t>(kind::text);
            case opcode::short_binbytes: return text<std::uint8_t>(kind::bytes);
            case opcode::binbytes: return text<std::uint32_t>(kind::bytes);
            case opcode::empty_tuple: return push({kind::tuple});
            case opcode::empty_list: return push({kind::list});
            case opcode::empty_dict:
                dicts_.emplace_back();
                return push({kind::dict, static_cast<std::int64_t>(dicts_.size() - 1)});
            case opcode::mark: marks_.push_back(stack_.size()); return {};
            case opcode::setitem: return set_items(stack_.size() - 2, stack_.size() >= 2);
            case opcode::setitems: {
                auto const from = unmark();
                if (!from) return from.error();
                return set_items(*from, true);
            }
            case opcode::append: return append(stack_.size() - 1, !stack_.empty());
            case opcode::appends: {
                auto const from = unmark();
                if (!from) return from.error();
                return append(*from, true);
            }
            case opcode::memoize:
                if (!has(1)) return wrong("a value", "none");
                memo_.push_back(stack_.back());
                return {};
            case opcode::binput: return put<std::uint8_t>();
            case opcode::long_binput: return put<std::uint32_t>();
            case opcode::binget: return get<std::uint8_t>();
            case opcode::long_binget: return get<std::uint32_t>();
            case opcode::global: return named_symbol();
            case opcode::stack_global: return stack_symbol();
            case opcode::newobj: return new_object();
            case opcode::build: return build();
            case opcode::stop: break;
        }
        return wrong("the operations that Chroma's index maps are made of", refused_opcode(code));
    }

    // Values above the last mark: an operation never reaches below it.
    [[nodiscard]] bool has(std::size_t n) const noexcept {
        return stack_.size() - (marks_.empty() ? 0 : marks_.back()) >= n;
    }

    result<void> push(pickle_value v) {
        stack_.push_back(v);
        return {};
    }

    [[nodiscard]] result<std::string_view> take(std::uint64_t n) {
        if (n > file_.size() - at_) return wrong("whole operands", "the end of the file");
        auto const bytes = file_.substr(at_, static_cast<std::size_t>(n));
        at_ += bytes.size();
        return bytes;
    }

    template <class U>
    [[nodiscard]] result<U> integer() {
        auto const bytes = take(sizeof(U));
        if (!bytes) return bytes.error();
        return load_le<U>(reinterpret_cast<std::byte const*>(bytes->data()));
    }

    template <class U>
    result<void> number() {
        auto const n = integer<U>();
        if (!n) return n.error();
        return push({kind::integer, static_cast<std::int64_t>(*n)});
    }

    result<void> long_integer() {
        auto const size = integer<std::uint8_t>();
        if (!size) return size.error();
        if (*size > 8) return wrong("integers of at most 8 bytes", "a longer one");
        auto const bytes = take(*size);
        if (!bytes) return bytes.error();
        std::uint64_t n = 0;
        for (std::size_t i = 0; i < bytes->size(); ++i)
            n |= std::uint64_t{static_cast<unsigned char>((*bytes)[i])} << (8 * i);
        // Two's complement of that many bytes: the sign is the highest bit that came.
        if (!bytes->empty() && bytes->size() < 8 && (n >> (8 * bytes->size() - 1)) != 0)
            n |= ~std::uint64_t{0} << (8 * bytes->size());
        return push({kind::integer, static_cast<std::int64_t>(n)});
    }

    template <class U>
    result<void> text(kind type) {
        auto const size = integer<U>();
        if (!size) return size.error();
        auto const bytes = take(*size);
        if (!bytes) return bytes.error();
        return push({type, 0, *bytes});
    }

    [[nodiscard]] result<std::size_t> unmark() {
        if (marks_.empty()) return wrong("a mark", "none");
        auto const from = marks_.back();
        marks_.pop_back();
        return from;
    }

    // Moves what stands from `from` on into the dict below it.
    result<void> set_items(std::size_t from, bool enough) {
        auto const floor = marks_.empty() ? 0 : marks_.back();
        if (!enough || from <= floor || stack_[from - 1].type != kind::dict)
            return wrong("a dict to put items in", "something else");
        if ((stack_.size() - from) % 2 != 0) return wrong("keys and values", "a key alone");
        auto& to = dicts_[static_cast<std::size_t>(stack_[from - 1].number)];
        for (std::size_t i = from; i < stack_.size(); i += 2) {
            if (stack_[i].type != kind::text && stack_[i].type != kind::integer)
                return wrong("texts or integers as keys", "another kind");
            to.emplace_back(stack_[i], stack_[i + 1]);
        }
        stack_.resize(from);
        return {};
    }

    result<void> append(std::size_t from, bool enough) {
        auto const floor = marks_.empty() ? 0 : marks_.back();
        if (!enough || from <= floor || stack_[from - 1].type != kind::list)
            return wrong("a list to append to", "something else");
        stack_.resize(from);
        return {};
    }

    // Python numbers its memo from 0 on without gaps; so the memo grows with the file only.
    template <class U>
    result<void> put() {
        auto const place = integer<U>();
        if (!place) return place.error();
        if (!has(1) || *place > memo_.size()) return wrong("the next place of the memo", "another");
        if (*place == memo_.size())
            memo_.push_back(stack_.back());
        else
            memo_[*place] = stack_.back();
        return {};
    }

    template <class U>
    result<void> get() {
        auto const place = integer<U>();
        if (!place) return place.error();
        if (*place >= memo_.size()) return wrong("a place of the memo that is set", "another");
        return push(memo_[*place]);
    }

    result<void> symbol(std::string_view module, std::string_view name) {
        if (module != "chromadb.segment.impl.vector.local_persistent_hnsw" ||
            name != "PersistentData")
            return wrong("the class PersistentData only", "another name");
        return push({kind::symbol});
    }

    result<void> named_symbol() {
        std::string_view names[2];
        for (auto& name : names) {
            auto const end = file_.find('\n', at_);
            if (end == std::string_view::npos) return wrong("a name", "the end of the file");
            name = file_.substr(at_, end - at_);
            at_ = end + 1;
        }
        return symbol(names[0], names[1]);
    }

    result<void> stack_symbol() {
        if (!has(2)) return wrong("two names", "less");
        auto const name = stack_.back();
        auto const module = stack_[stack_.size() - 2];
        stack_.resize(stack_.size() - 2);
        if (name.type != kind::text || module.type != kind::text)
            return wrong("two names", "another kind");
        return symbol(module.text, name.text);
    }

    result<void> new_object() {
        if (!has(2) || stack_.back().type != kind::tuple ||
            stack_[stack_.size() - 2].type != kind::symbol)
            return wrong("PersistentData without arguments", "something else");
        stack_.resize(stack_.size() - 2);
        return push({kind::object, unbuilt});
    }

    result<void> build() {
        if (!has(2) || stack_.back().type != kind::dict ||
            stack_[stack_.size() - 2].type != kind::object)
            return wrong("a PersistentData and its attributes", "something else");
        auto const attributes = stack_.back().number;
        stack_.pop_back();
        stack_.back().number = attributes;
        return {};
    }

    std::string_view file_;
    std::size_t at_ = 0;
    std::size_t start_ = 0; // of the operation that runs
    std::vector<pickle_value> stack_;
    std::vector<std::size_t> marks_;
    std::vector<pickle_value> memo_;
    std::vector<dict> dicts_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
