// SPDX-License-Identifier: MIT
// Compiled with -O3 -march=native; see bench/CMakeLists.txt.
#include "contestant.hpp"

#if VICINAL_BENCH_HNSWLIB
#    include <hnswlib/hnswlib.h>
#endif
#if VICINAL_BENCH_FAISS
#    include <faiss/utils/distances.h>
extern "C" void openblas_set_num_threads(int);
extern "C" void sgemm_(char const* transpose_a, char const* transpose_b, int const* m, int const* n,
                       int const* k, float const* alpha, float const* a, int const* lda,
                       float const* b, int const* ldb, float const* beta, float* c, int const* ldc);
#endif

void bench::add_peers(contestants& to) {
#if VICINAL_BENCH_HNSWLIB
    auto const hnswlib_kernel = [&]<class Space>(std::string const& kernel, float offset) {
        to.push_back({kernel, "hnswlib", kernel_rows, [=](std::size_t dim) {
                          Space space(dim);
                          auto const distance = space.get_dist_func();
                          return pass_over_rows<float>(
                              dim, [=](float const* q, float const* r, std::size_t n) {
                                  return distance(q, r, &n) - offset;
                              });
                      }});
    };
    for (auto const* rows : {"", ", four rows"}) {
        hnswlib_kernel.operator()<hnswlib::L2Space>(std::string("squared_l2 f32") + rows, 0);
        // Its inner product is 1 less the sum.
        hnswlib_kernel.operator()<hnswlib::InnerProductSpace>(
            std::string("inner_product f32") + rows, 1);
    }
#endif
#if VICINAL_BENCH_FAISS
    openblas_set_num_threads(1);
    for (auto const* rows : {"", ", four rows"}) {
        to.push_back(
            {std::string("squared_l2 f32") + rows, "faiss", kernel_rows,
             [](std::size_t dim) { return pass_over_rows<float>(dim, faiss::fvec_L2sqr); }});
        to.push_back(
            {std::string("inner_product f32") + rows, "faiss", kernel_rows, [](std::size_t dim) {
                 return pass_over_rows<float>(dim,
                                              [](float const* q, float const* r, std::size_t n) {
                                                  return -faiss::fvec_inner_product(q, r, n);
                                              });
             }});
    }
    to.push_back({"l1 f32", "faiss", kernel_rows,
                  [](std::size_t dim) { return pass_over_rows<float>(dim, faiss::fvec_L1); }});
    to.push_back({"tile f32", "OpenBLAS", tile_queries * tile_rows,
                  [](std::size_t dim) -> std::function<double()> {
                      return [dim, queries = many_numbers<float>(dim, tile_queries),
                              rows = many_numbers<float>(dim, tile_rows, 100),
                              out = aligned<float>(tile_queries * tile_rows)]() mutable {
                          int const m = tile_queries;
                          int const n = tile_rows;
                          int const k = static_cast<int>(dim);
                          float const one = 1;
                          float const zero = 0;
                          sgemm_("T", "N", &m, &n, &k, &one, queries.data(), &k, rows.data(), &k,
                                 &zero, out.data(), &m);
                          return static_cast<double>(out.front()) + static_cast<double>(out.back());
                      };
                  }});
#endif
    static_cast<void>(to);
}
