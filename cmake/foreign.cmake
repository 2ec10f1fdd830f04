# SPDX-License-Identifier: MIT
# vicinal_find(TARGET HEADER NAMES ... [SUFFIXES ...]) makes an imported TARGET of a C library by
# its header and file names: for libraries whose packages agree on no CMake name, or whose own
# module wants the language C.
function(vicinal_find target header)
    cmake_parse_arguments(PARSE_ARGV 2 arg "" "" "NAMES;SUFFIXES")
    if(TARGET ${target})
        return()
    endif()
    string(MAKE_C_IDENTIFIER "VICINAL_${header}" variable)
    find_path(${variable}_DIR ${header} PATH_SUFFIXES ${arg_SUFFIXES})
    find_library(${variable}_LIBRARY NAMES ${arg_NAMES} PATH_SUFFIXES ${arg_SUFFIXES})
    mark_as_advanced(${variable}_DIR ${variable}_LIBRARY)
    if(${variable}_DIR AND ${variable}_LIBRARY)
        add_library(${target} UNKNOWN IMPORTED GLOBAL)
        set_target_properties(${target} PROPERTIES
            IMPORTED_LOCATION "${${variable}_LIBRARY}"
            INTERFACE_INCLUDE_DIRECTORIES "${${variable}_DIR}")
    endif()
endfunction()

macro(vicinal_find_zstd)
    vicinal_find(vicinal_foreign::zstd zstd.h NAMES zstd zstd_static)
endmacro()
macro(vicinal_find_roaring)
    vicinal_find(vicinal_foreign::roaring roaring/roaring.h NAMES roaring)
endmacro()
macro(vicinal_find_hdf5)
    vicinal_find(vicinal_foreign::hdf5 hdf5.h NAMES hdf5 hdf5_serial SUFFIXES hdf5/serial)
endmacro()
