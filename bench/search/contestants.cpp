// SPDX-License-Identifier: MIT
#include "arguments.hpp"

#include <stdexcept>

namespace bench {

namespace {

system_pointer make_peer(std::string const& name, build_options const& options) {
    auto peer = name == "hnswlib"     ? make_hnswlib(options)
                : name == "faiss-ivf" ? make_faiss_ivf(options)
                                      : make_faiss(options);
    if (!peer) throw std::runtime_error(name + " was not installed when this was compiled");
    return peer;
}

/// In the plain layout where there is none of the other.
entry const& find(std::string const& index, std::string const& codec, std::string const& layout,
                  bool fields) {
    std::string known;
    entry const* plain = nullptr;
    for (auto const& e : entries()) {
        if (e.fields != fields) continue;
        bool const named = e.index == index && e.codec == codec;
        if (named && e.layout == layout) return e;
        if (named && e.layout == "plain") plain = &e;
        known += "\n  " + e.name();
    }
    if (plain) return *plain;
    throw std::runtime_error("there is no " + index + " with " + codec + " and layout " + layout +
                             " here, only" + known);
}

} // namespace

std::vector<contestant> contestants(arguments const& a, bool fields) {
    std::vector<contestant> all;
    for (auto const& index : a.indexes)
        for (auto const& codec : a.codecs) {
            auto const& e = find(index, codec, a.layout, fields);
            all.push_back({e.make(e, a.build), {}});
        }
    for (auto const& name : a.peers) all.push_back({make_peer(name, a.build), {}});
    return all;
}

data_set load(arguments const& a) {
    data_set d;
    d.base = read_matrix(a.base, a.limit);
    d.queries = read_matrix(a.queries);
    if (d.base.rows == 0 || d.queries.rows == 0 || d.base.columns != d.queries.columns)
        throw std::runtime_error("base and queries must be rows of one length, one at least");
    return d;
}

} // namespace bench
