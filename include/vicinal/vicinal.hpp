// SPDX-License-Identifier: MIT
#ifndef VICINAL_VICINAL_HPP
#define VICINAL_VICINAL_HPP

// The table of contents: everything that needs the standard library alone. What needs more says so
// by name and is included by itself: <vicinal/migrate/jsonl.hpp> (simdjson),
// <vicinal/backend/chroma_directory.hpp> (SQLite, simdjson), <vicinal/adapt/...>.

// errors, results, the values of a payload, records
#include <vicinal/core/config.hpp>
#include <vicinal/core/error.hpp>
#include <vicinal/core/record.hpp>
#include <vicinal/core/result.hpp>
#include <vicinal/core/value.hpp>

// sums over rows for every instruction set: what metrics and codecs are made of
#include <vicinal/simd/fast_scan.hpp>
#include <vicinal/simd/nibble_sums.hpp>
#include <vicinal/simd/tile.hpp>

// what "near" means
#include <vicinal/metric/concept.hpp>
#include <vicinal/metric/cosine.hpp>
#include <vicinal/metric/hamming.hpp>
#include <vicinal/metric/inner_product.hpp>
#include <vicinal/metric/jaccard.hpp>
#include <vicinal/metric/l1.hpp>
#include <vicinal/metric/squared_l2.hpp>

// centres of many vectors
#include <vicinal/cluster/kmeans.hpp>

// the form in which an index reads a vector
#include <vicinal/codec/binary.hpp>
#include <vicinal/codec/concept.hpp>
#include <vicinal/codec/f16.hpp>
#include <vicinal/codec/f32.hpp>
#include <vicinal/codec/i8.hpp>
#include <vicinal/codec/only.hpp>
#include <vicinal/codec/opq.hpp>
#include <vicinal/codec/pca.hpp>
#include <vicinal/codec/pq.hpp>
#include <vicinal/codec/rabitq.hpp>
#include <vicinal/codec/rabitq_about.hpp>
#include <vicinal/codec/sq4.hpp>

// where bytes live and what survives
#include <vicinal/storage/backup.hpp>
#include <vicinal/storage/check.hpp>
#include <vicinal/storage/concept.hpp>
#include <vicinal/storage/file.hpp>
#include <vicinal/storage/memory.hpp>
#include <vicinal/storage/mmap.hpp>

// which rows are looked at
#include <vicinal/index/budget.hpp>
#include <vicinal/index/concept.hpp>
#include <vicinal/index/flat.hpp>
#include <vicinal/index/hnsw.hpp>
#include <vicinal/index/ivf_pq.hpp>

// what travels with a vector, and filters over it
#include <vicinal/payload/as_fields.hpp>
#include <vicinal/payload/concept.hpp>
#include <vicinal/payload/fields.hpp>
#include <vicinal/payload/filter.hpp>
#include <vicinal/payload/filter/any_element.hpp>
#include <vicinal/payload/filter/builder.hpp>
#include <vicinal/payload/none.hpp>
#include <vicinal/payload/record.hpp>
#include <vicinal/payload/where.hpp>

// the store itself, and what is left of a damaged one
#include <vicinal/store/salvage.hpp>
#include <vicinal/store/store.hpp>

// from any store to any other
#include <vicinal/migrate/concept.hpp>
#include <vicinal/migrate/diff.hpp>
#include <vicinal/migrate/migrate.hpp>
#include <vicinal/migrate/report_text.hpp>

// a backend named at run time
#include <vicinal/backend/any_store.hpp>
#include <vicinal/backend/recognise.hpp>
#include <vicinal/backend/registry.hpp>
#include <vicinal/backend/uri.hpp>
#include <vicinal/backend/vicinal_scheme.hpp>

#endif
