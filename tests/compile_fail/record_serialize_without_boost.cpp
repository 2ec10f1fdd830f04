// SPDX-License-Identifier: MIT
// expected: this struct has a serialize(): include
#include <vicinal/payload/record.hpp>

struct note {
    int year = 0;
    template <class Archive>
    void serialize(Archive& archive, unsigned) {
        archive& year;
    }
    using members = vicinal::members<&note::year>;
};

note const none = *vicinal::payload::record<note>::decode({});
