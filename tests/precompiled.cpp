// SPDX-License-Identifier: MIT
// Empty: carries the precompiled header that every test program reuses.
