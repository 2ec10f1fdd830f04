// SPDX-License-Identifier: MIT
// expected: archives hold stores in memory
#include <vicinal/adapt/boost_serialization.hpp>
#include <vicinal/vicinal.hpp>

#include <boost/archive/text_oarchive.hpp>

#include <sstream>

using docs =
    vicinal::store<vicinal::metric::cosine, vicinal::index::flat<>, vicinal::storage::mmap>;

void archive(docs const& s) {
    std::ostringstream text;
    boost::archive::text_oarchive out(text);
    out << s;
}
