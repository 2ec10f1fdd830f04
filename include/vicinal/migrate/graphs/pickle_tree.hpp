// SPDX-License-Identifier: MIT
#ifndef VICINAL_MIGRATE_GRAPHS_PICKLE_TREE_HPP
#define VICINAL_MIGRATE_GRAPHS_PICKLE_TREE_HPP

#include <vicinal/core/bits.hpp>
#include <vicinal/core/result.hpp>

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace vicinal::inline VICINAL_ABI::detail {

/// The values of a Python pickle as a tree of data. Nothing of it is ever run: a class is a name,
/// an object is that name and the state that its class would have been given.
///
/// Source: Python's pickle protocols 2 to 5, without persistent ids, extension codes and buffers
/// outside. Memory: about 50 bytes an operation and the file itself; nothing recurses. A value may
/// stand in several places and even in itself: who follows references must stop somewhere.
class pickle_tree {
public:
    enum class kind : std::uint8_t {
        none,
        boolean,
        integer,
        real,
        text,
        bytes,
        /// Also tuples and sets.
        list,
        /// Keys and values in turn.
        dict,
        /// The name of a class, without its module.
        symbol,
        /// Its class, what it was made of, and its state where it has one.
        object,
        /// An integer of more than 64 bits.
        other,
    };
    struct node {
        kind type = kind::none;
        std::uint32_t list = 0; // of list, dict, object: which of lists_
        std::int64_t integer = 0;
        double real = 0;
        std::string_view text = {};
    };
    using index = std::uint32_t;

    /// `file` must outlive the tree: texts point into it. Errors: corrupt_source with the offset.
    [[nodiscard]] static result<pickle_tree> parse(std::string_view file) {
        pickle_tree t(file);
        VICINAL_CHECK(t.run());
        return t;
    }

    [[nodiscard]] index root() const noexcept { return stack_.back(); }
    [[nodiscard]] node const& at(index i) const noexcept { return nodes_[i]; }
    /// What a list, dict or object is made of.
    [[nodiscard]] std::vector<index> const& parts(node const& n) const noexcept {
        return lists_[n.list];
    }
    /// The value of a text key in a dict, or in the dict that is the state of an object; nullptr
    /// where there is none.
    [[nodiscard]] node const* find(node const& where, std::string_view key) const noexcept {
        if (where.type == kind::object) {
            auto const& p = parts(where);
            return p.size() == 3 && at(p[2]).type == kind::dict ? find(at(p[2]), key) : nullptr;
        }
        if (where.type != kind::dict) return nullptr;
        auto const& p = parts(where);
        for (std::size_t i = 0; i + 1 < p.size(); i += 2)
            if (at(p[i]).type == kind::text && at(p[i]).text == key) return &at(p[i + 1]);
        return nullptr;
    }

private:
    explicit pickle_tree(std::string_view file) noexcept : file_(file) {}

    [[nodiscard]] error wrong(std::string expected) const {
        return error{errc::corrupt_source, std::move(expected),
                     "another at offset " + std::to_string(at_) + " of the pickle"};
    }

    result<void> run() {
        for (;;) {
            if (at_ == file_.size()) return wrong("a further operation");
            auto const code = static_cast<unsigned char>(file_[at_++]);
            if (code == '.') break;
            VICINAL_CHECK(step(code));
        }
        if (stack_.size() != 1 || !marks_.empty()) return wrong("one value");
        return {};
    }

    result<void> step(unsigned char code) {
        switch (code) {
            case 0x80: return skip(1);                                     // PROTO
            case 0x95: return skip(8);                                     // FRAME
            case 'N': return push({});                                     // NONE
            case 0x88: return push({.type = kind::boolean, .integer = 1}); // NEWTRUE
            case 0x89: return push({.type = kind::boolean});               // NEWFALSE
            case 'K': return integer<std::uint8_t>();                      // BININT1
            case 'M': return integer<std::uint16_t>();                     // BININT2
            case 'J': return integer<std::int32_t>();                      // BININT
            case 0x8a: return long_integer();                              // LONG1
            case 'G': return real();                                       // BINFLOAT
            case 0x8c: return text<std::uint8_t>(kind::text);              // SHORT_BINUNICODE
            case 'X': return text<std::uint32_t>(kind::text);              // BINUNICODE
            case 0x8d: return text<std::uint64_t>(kind::text);             // BINUNICODE8
            case 'C': return text<std::uint8_t>(kind::bytes);              // SHORT_BINBYTES
            case 'B': return text<std::uint32_t>(kind::bytes);             // BINBYTES
            case 0x8e: return text<std::uint64_t>(kind::bytes);            // BINBYTES8
            case ')':                                                      // EMPTY_TUPLE
            case ']':                                                      // EMPTY_LIST
            case 0x8f: return push_list(kind::list, {});                   // EMPTY_SET
            case '}': return push_list(kind::dict, {});                    // EMPTY_DICT
            case 0x85: return gather(kind::list, 1);                       // TUPLE1
            case 0x86: return gather(kind::list, 2);                       // TUPLE2
            case 0x87: return gather(kind::list, 3);                       // TUPLE3
            case 't':                                                      // TUPLE
            case 0x91: return gather_from_mark(kind::list);                // FROZENSET
            case '(': marks_.push_back(stack_.size()); return {};          // MARK
            case 'a': return add(kind::list, 1);                           // APPEND
            case 's': return add(kind::dict, 2);                           // SETITEM
            case 'e':                                                      // APPENDS
            case 0x90: return add_from_mark(kind::list);                   // ADDITEMS
            case 'u': return add_from_mark(kind::dict);                    // SETITEMS
            case 0x94: return has(1) ? remember(memo_.size()) : wrong("a value"); // MEMOIZE
            case 'q': return put<std::uint8_t>();                                 // BINPUT
            case 'r': return put<std::uint32_t>();                                // LONG_BINPUT
            case 'h': return get<std::uint8_t>();                                 // BINGET
            case 'j': return get<std::uint32_t>();                                // LONG_BINGET
            case 'c': return named_symbol();                                      // GLOBAL
            case 0x93: return stack_symbol();                                     // STACK_GLOBAL
            case 0x81:                                                            // NEWOBJ
            case 'R': return object();                                            // REDUCE
            case 'b': return add(kind::object, 1);                                // BUILD
            default: --at_; return wrong("operations that make data");
        }
    }

    // Values above the last mark: an operation never reaches below it.
    [[nodiscard]] bool has(std::size_t n) const noexcept {
        return stack_.size() - (marks_.empty() ? 0 : marks_.back()) >= n;
    }

    result<void> push(node n) {
        stack_.push_back(static_cast<index>(nodes_.size()));
        nodes_.push_back(n);
        return {};
    }
    result<void> push_list(kind type, std::vector<index> parts) {
        lists_.push_back(std::move(parts));
        return push({.type = type, .list = static_cast<std::uint32_t>(lists_.size() - 1)});
    }

    [[nodiscard]] result<std::string_view> take(std::uint64_t n) {
        if (n > file_.size() - at_) return wrong("whole operands");
        auto const bytes = file_.substr(at_, static_cast<std::size_t>(n));
        at_ += bytes.size();
        return bytes;
    }
    result<void> skip(std::size_t n) {
        VICINAL_CHECK(take(n));
        return {};
    }
    template <std::integral I>
    [[nodiscard]] result<I> operand() {
        auto const bytes = take(sizeof(I));
        if (!bytes) return bytes.error();
        return static_cast<I>(
            load_le<std::make_unsigned_t<I>>(reinterpret_cast<std::byte const*>(bytes->data())));
    }

    template <std::integral I>
    result<void> integer() {
        auto const n = operand<I>();
        if (!n) return n.error();
        return push({.type = kind::integer, .integer = *n});
    }
    result<void> long_integer() {
        auto const size = operand<std::uint8_t>();
        if (!size) return size.error();
        auto const bytes = take(*size);
        if (!bytes) return bytes.error();
        if (*size > 8) return push({.type = kind::other});
        // Two's complement of that many bytes: the sign is the highest bit that came.
        std::uint64_t n = *size > 0 && (bytes->back() & '\x80') != 0 ? ~std::uint64_t{0} : 0;
        for (std::size_t i = bytes->size(); i-- > 0;)
            n = n << 8 | static_cast<unsigned char>((*bytes)[i]);
        return push({.type = kind::integer, .integer = static_cast<std::int64_t>(n)});
    }
    result<void> real() {
        auto const bytes = take(8);
        if (!bytes) return bytes.error();
        std::uint64_t n = 0;
        for (char const c : *bytes) n = n << 8 | static_cast<unsigned char>(c);
        return push({.type = kind::real, .real = std::bit_cast<double>(n)});
    }
    template <std::integral I>
    result<void> text(kind type) {
        auto const size = operand<I>();
        if (!size) return size.error();
        auto const bytes = take(*size);
        if (!bytes) return bytes.error();
        return push({.type = type, .text = *bytes});
    }

    [[nodiscard]] std::vector<index> pop(std::size_t n) {
        std::vector<index> parts(stack_.end() - static_cast<std::ptrdiff_t>(n), stack_.end());
        stack_.resize(stack_.size() - n);
        return parts;
    }
    // The values above the last mark, which goes.
    [[nodiscard]] result<std::size_t> unmark() {
        if (marks_.empty()) return wrong("a mark");
        auto const n = stack_.size() - marks_.back();
        marks_.pop_back();
        return n;
    }
    result<void> gather(kind type, std::size_t n) {
        if (!has(n)) return wrong("more values");
        return push_list(type, pop(n));
    }
    result<void> gather_from_mark(kind type) {
        auto const n = unmark();
        if (!n) return n.error();
        return push_list(type, pop(*n));
    }
    // Moves the last n values into what stands below them.
    result<void> add(kind type, std::size_t n) {
        if (!has(n + 1)) return wrong("more values");
        auto const parts = pop(n);
        auto const& to = nodes_[stack_.back()];
        if (to.type != type || (type == kind::dict && n % 2 != 0) ||
            (type == kind::object && lists_[to.list].size() != 2))
            return wrong("something to put values in");
        lists_[to.list].insert(lists_[to.list].end(), parts.begin(), parts.end());
        return {};
    }
    result<void> add_from_mark(kind type) {
        auto const n = unmark();
        if (!n) return n.error();
        return add(type, *n);
    }

    // Python numbers its memo from 0 on without gaps; so the memo grows with the file only.
    result<void> remember(std::size_t place) {
        if (!has(1) || place > memo_.size()) return wrong("the next place of the memo");
        if (place == memo_.size()) memo_.push_back(0);
        memo_[place] = stack_.back();
        return {};
    }
    template <std::integral I>
    result<void> put() {
        auto const place = operand<I>();
        if (!place) return place.error();
        return remember(*place);
    }
    template <std::integral I>
    result<void> get() {
        auto const place = operand<I>();
        if (!place) return place.error();
        if (*place >= memo_.size()) return wrong("a place of the memo that is set");
        stack_.push_back(memo_[*place]);
        return {};
    }

    // Modules move from version to version of a program; names stay.
    result<void> named_symbol() {
        std::string_view name;
        for (int i = 0; i < 2; ++i) {
            auto const end = file_.find('\n', at_);
            if (end == std::string_view::npos) return wrong("a name");
            name = file_.substr(at_, end - at_);
            at_ = end + 1;
        }
        return push({.type = kind::symbol, .text = name});
    }
    result<void> stack_symbol() {
        if (!has(2)) return wrong("two names");
        auto const names = pop(2);
        if (nodes_[names[0]].type != kind::text || nodes_[names[1]].type != kind::text)
            return wrong("two names");
        return push({.type = kind::symbol, .text = nodes_[names[1]].text});
    }
    result<void> object() {
        if (!has(2) || nodes_[stack_[stack_.size() - 2]].type != kind::symbol)
            return wrong("a class and what an object is made of");
        return push_list(kind::object, pop(2));
    }

    std::string_view file_;
    std::size_t at_ = 0;
    std::vector<node> nodes_;
    std::vector<std::vector<index>> lists_;
    std::vector<index> stack_;
    std::vector<std::size_t> marks_;
    std::vector<index> memo_;
};

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
