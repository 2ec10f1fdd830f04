// SPDX-License-Identifier: MIT
#ifndef VICINAL_ADAPT_EIGEN_OPQ_HPP
#define VICINAL_ADAPT_EIGEN_OPQ_HPP

#include <vicinal/codec/opq.hpp>

#include <Eigen/Eigenvalues>
#include <Eigen/SVD>

#include <cstddef>
#include <vector>

/// What codec::opq learns its rotation by. Component eigen.
namespace vicinal::inline VICINAL_ABI::adapt {

/// Decompositions of matrices of doubles, row by row, by Eigen: dim^3 multiply-adds, some times.
struct eigen_decompositions {
    using matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

    /// A^T B of two times so many rows of floats.
    static void cross(float const* a, float const* b, std::size_t rows, std::size_t dim,
                      double* m) {
        using floats = Eigen::Matrix<float, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
        auto const n = static_cast<Eigen::Index>(dim);
        auto const count = static_cast<Eigen::Index>(rows);
        floats const product = Eigen::Map<floats const>(a, count, n).transpose() *
                               Eigen::Map<floats const>(b, count, n);
        Eigen::Map<matrix>(m, n, n) = product.cast<double>();
    }
    /// The eigenvectors of a symmetric matrix in its rows, and their values, the largest first.
    [[nodiscard]] static bool principal(double* m, std::size_t dim, std::vector<double>& values) {
        auto const n = static_cast<Eigen::Index>(dim);
        Eigen::Map<matrix> all(m, n, n);
        Eigen::SelfAdjointEigenSolver<matrix> const solved(all);
        if (solved.info() != Eigen::Success) return false;
        all = solved.eigenvectors().rowwise().reverse().transpose();
        values.resize(dim);
        Eigen::Map<Eigen::VectorXd>(values.data(), n) = solved.eigenvalues().reverse();
        return true;
    }
    /// Replaces U S V^T by U V^T.
    [[nodiscard]] static bool nearest_rotation(double* m, std::size_t dim) {
        auto const n = static_cast<Eigen::Index>(dim);
        Eigen::Map<matrix> all(m, n, n);
        Eigen::BDCSVD<matrix> const solved(all, Eigen::ComputeFullU | Eigen::ComputeFullV);
        all = solved.matrixU() * solved.matrixV().transpose();
        return all.allFinite();
    }
};

} // namespace vicinal::inline VICINAL_ABI::adapt

namespace vicinal::inline VICINAL_ABI::codec {

/// codec::opq that learns its rotation by Eigen.
template <std::size_t SubVectors, unsigned Bits = 8>
using eigen_opq = opq<SubVectors, Bits, adapt::eigen_decompositions>;

} // namespace vicinal::inline VICINAL_ABI::codec

#endif
