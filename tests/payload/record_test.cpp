// SPDX-License-Identifier: MIT
#include "contract/payload.hpp"
#include "payload/note.hpp"

#include <vicinal/payload/fields.hpp>
#include <vicinal/payload/filter/builder.hpp>
#include <vicinal/payload/record.hpp>

#include <cmath>
#include <limits>

namespace record_test {

using namespace vicinal;
using testing::bytes_of;
using testing::note;
using records = payload::record<note>;

namespace {

template <class P>
std::string encoded(typename P::value_type const& v) {
    std::string out;
    REQUIRE(P::encode(v, out));
    return out;
}

/// All of its members may be missing.
struct loose {
    std::optional<int> a;
    std::optional<std::string> b;
    using members = vicinal::members<&loose::b, &loose::a>;
    friend bool operator==(loose const&, loose const&) = default;
};

struct row {
    std::uint8_t byte = 0;
    std::int64_t wide = 0;
    float single = 0;
    double full = 0;
    bool flag = false;
    std::string text;
    std::vector<std::int16_t> list;
    loose inner;
    using members = vicinal::members<&row::byte, &row::wide, &row::single, &row::full, &row::flag,
                                     &row::text, &row::list, &row::inner>;
};

fields row_fields() {
    return {{"byte", 1},    {"wide", 2},   {"single", 0.5},     {"full", 0.25},
            {"flag", true}, {"text", "x"}, {"list", {1, 2, 3}}, {"inner", fields{}}};
}

std::string refusal(fields const& f) {
    auto const r = payload::record<row>::decode(bytes_of(encoded<payload::fields>(f)));
    REQUIRE_FALSE(r);
    CHECK(r.error().code() == errc::invalid_payload);
    return r.error().message();
}

std::string refusal(std::string const& name, value v) {
    auto f = row_fields();
    f.set(name, std::move(v));
    return refusal(f);
}

/// A tree: a struct may hold itself in a vector.
struct node {
    int weight = 0;
    std::vector<node> children;
    using members = vicinal::members<&node::weight, &node::children>;
};

class closed_struct {
public:
    closed_struct() = default;
    explicit closed_struct(int n) : count_(n) {}
    [[nodiscard]] int count() const { return count_; }

private:
    int count_ = 0;

public:
    using members = vicinal::members<vicinal::named<"count", &closed_struct::count_>>;
};

} // namespace

TEST_CASE("structs keep the payload contract", "[payload]") {
    contract::check_payload_values<records>({testing::sample_note(), {}});
    contract::check_payload<payload::record<loose>>({{1, "x"}, {{}, "y"}, {}});
}

TEST_CASE("a random struct comes back bit for bit, floats and NaN included", "[payload]") {
    for (std::uint64_t seed = 0; seed < 3000; ++seed) {
        testing::dice d(seed * 1000003);
        auto const n = testing::random_note(d);
        CAPTURE(seed);
        auto const back = records::decode(bytes_of(encoded<records>(n)));
        if (!back) FAIL(back.error().message());
        REQUIRE(*back == n);
    }
}

TEST_CASE("a struct is encoded as the fields of its members' names are", "[payload]") {
    auto const bytes = encoded<records>(testing::sample_note());
    auto const read = payload::fields::decode(bytes_of(bytes));
    REQUIRE(read);
    fields const expected{
        {"year", 2024},
        {"title", "On w\xc3\xa4lls"},
        {"tags", {"ml", "", "c++"}},
        {"draft", true},
        {"price", 9.99},
        {"flags", {true, false, true}},
        {"shelf", 200},
        {"direction", -300},
        {"by", {{"name", "Ada"}, {"born", 1815}}},
        {"others", value::array{fields{{"name", "B"}}, fields{{"name", ""}, {"born", -1}}}},
        {"gaps", value::array{1, nullptr, INT64_MIN}},
        {"a table", value::array{value::array{0.1, -0.0}, value::array{}}},
        {"hash", INT64_MAX},
        {"small", -128}};
    CHECK(*read == expected);
    CHECK(encoded<payload::fields>(expected) == bytes);
    CHECK(records::name == payload::fields::name);
    STATIC_REQUIRE(records::filterable);

    auto const matches = [&](filter const& f) { return f.matches(bytes_of(bytes)); };
    CHECK(matches(field("price") == 9.99 && field("by.name") == "Ada"));
    CHECK(matches(field("a table").is_not_null() && field("editor").is_null()));
    CHECK_FALSE(matches(field("tags").contains("python")));
}

TEST_CASE("a member that does not fit is refused by name", "[payload]") {
    REQUIRE(payload::record<row>::decode(bytes_of(encoded<payload::fields>(row_fields()))));
    CHECK(refusal("byte", 256) == "invalid_payload: expected an integer from 0 to 255 for member "
                                  "'byte', got 256");
    CHECK(refusal("byte", -1).find("got -1") != std::string::npos);
    CHECK(refusal("wide", 1.0).find("for member 'wide', got 1.0") != std::string::npos);
    CHECK(refusal("wide", "1").find("for member 'wide', got a text") != std::string::npos);
    CHECK(refusal("wide", nullptr).find("got null") != std::string::npos);
    CHECK(refusal("single", 0.123456789) ==
          "invalid_payload: expected a number that a float holds for member 'single', got "
          "0.123456789");
    CHECK(refusal("single", 1e39).find("a float holds") != std::string::npos);
    CHECK(refusal("single", (1 << 24) + 1).find("a number that fits") != std::string::npos);
    CHECK(refusal("full", (std::int64_t{1} << 53) + 1).find("fits") != std::string::npos);
    CHECK(refusal("full", true) == "invalid_payload: expected a number for member 'full', got "
                                   "true");
    CHECK(refusal("flag", 1).find("true or false for member 'flag'") != std::string::npos);
    CHECK(refusal("text", value::array{}) ==
          "invalid_payload: expected text for member 'text', got an array");
    CHECK(refusal("list", {1, 32768}).find("for member 'list', got 32768") != std::string::npos);
    CHECK(refusal("list", 1).find("an array for member 'list'") != std::string::npos);
    CHECK(refusal("inner", {{"a", 1}, {"b", 2}}) ==
          "invalid_payload: expected text for member 'inner.b', got 2");
    CHECK(refusal("inner", {{"a", 1}, {"aa", 2}}).find("'inner.aa'") != std::string::npos);
    CHECK(refusal("extra", 1) == "invalid_payload: expected fields that are members, in the order "
                                 "of their names, got field 'extra'");
    CHECK(refusal("zzz", 1).find("'zzz'") != std::string::npos);
    for (auto const& f : row_fields()) {
        auto less = row_fields();
        less.erase(f.name);
        CHECK(refusal(less) ==
              "invalid_payload: expected a field for member '" + f.name + "', got none");
    }
}

TEST_CASE("numbers that are written otherwise but the same are taken", "[payload]") {
    auto f = row_fields();
    f.set("full", 5);
    f.set("single", static_cast<double>(9.99F));
    f.set("inner", {{"a", nullptr}});
    auto const r = payload::record<row>::decode(bytes_of(encoded<payload::fields>(f)));
    REQUIRE(r);
    CHECK(r->full == 5);
    CHECK(r->single == 9.99F);
    CHECK_FALSE(r->inner.a);
    f.set("single", 9.99);
    CHECK(payload::record<row>::decode(bytes_of(encoded<payload::fields>(f)))->single == 9.99F);
}

TEST_CASE("what a struct holds and no field can is refused by name", "[payload]") {
    auto const refused = [](note const& n) {
        std::string out = "before";
        auto const r = records::encode(n, out);
        REQUIRE_FALSE(r);
        CHECK(out == "before");
        CHECK(r.error().code() == errc::invalid_payload);
        return r.error().message();
    };
    note n;
    n.hash = std::uint64_t{INT64_MAX} + 1;
    CHECK(refused(n) == "invalid_payload: expected integers up to 9223372036854775807, got "
                        "9223372036854775808 in field 'hash'");
    n = {};
    n.others = {{"ok", {}}, {"\xff", {}}};
    CHECK(refused(n).find("in field 'others.name'") != std::string::npos);
    n = {};
    n.title.assign(std::size_t{17} << 20, 'x');
    CHECK(refused(n).find("16 MiB") != std::string::npos);
}

TEST_CASE("a struct that holds itself is as deep as a payload may be", "[payload]") {
    node tree{1, {}};
    for (int i = 0; i < 31; ++i) tree = {i, {tree}};
    std::string out;
    REQUIRE(payload::record<node>::encode(tree, out));
    auto const back = payload::record<node>::decode(bytes_of(out));
    REQUIRE(back);
    CHECK(back->children[0].children[0].weight == 28);
    auto const as_fields = payload::fields::decode(bytes_of(out));
    CHECK(as_fields);
    out.clear();
    auto const deeper = payload::record<node>::encode({0, {tree}}, out);
    REQUIRE_FALSE(deeper);
    CHECK(deeper.error().expected().find("64 deep") != std::string::npos);
}

TEST_CASE("private members are listed inside their class", "[payload]") {
    auto const bytes = encoded<payload::record<closed_struct>>(closed_struct(7));
    CHECK(payload::record<closed_struct>::decode(bytes_of(bytes))->count() == 7);
    CHECK((field("count") == 7).matches(bytes_of(bytes)));
}

} // namespace record_test
