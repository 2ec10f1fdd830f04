// SPDX-License-Identifier: MIT
#ifndef VICINAL_INDEX_IVF_CODES_HPP
#define VICINAL_INDEX_IVF_CODES_HPP

// What inverted lists are scanned by: codes in the order of the lists, or by slot.
#include <vicinal/index/ivf/list_codes.hpp>
#include <vicinal/index/ivf/slot_codes.hpp>

#endif
