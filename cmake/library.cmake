# SPDX-License-Identifier: MIT
# The targets that users link: vicinal::vicinal, and one component for each foreign library.

file(GLOB_RECURSE vicinal_headers CONFIGURE_DEPENDS "${PROJECT_SOURCE_DIR}/include/*.hpp")
# vicinal_take(NAME REGEX) moves the headers that match into vicinal_NAME_headers. The same patterns
# as OPTIONAL in scripts/check_layers.py.
macro(vicinal_take name regex)
    set(vicinal_${name}_headers ${vicinal_headers})
    list(FILTER vicinal_${name}_headers INCLUDE REGEX "/vicinal/${regex}")
    list(REMOVE_ITEM vicinal_headers ${vicinal_${name}_headers})
endmacro()
vicinal_take(json "(migrate/filters|(migrate|backend)/json)")
vicinal_take(chroma "backend/(chroma|sqlite)")
vicinal_take(columnar "(migrate|backend)/columnar")
vicinal_take(hdf5 "(migrate|backend)/hdf5")
vicinal_take(compression "migrate/files/compressed")
vicinal_take(boost "adapt/boost_serialization")
vicinal_take(eigen "adapt/eigen")

# vicinal_target(NAME HEADERS...) defines an INTERFACE library that compiles as C++20 and finds the
# headers. No flag, no definition: what a user's program is compiled with is the user's business.
function(vicinal_target target)
    add_library(${target} INTERFACE)
    target_compile_features(${target} INTERFACE cxx_std_20)
    if(VICINAL_SINGLE_HEADER)
        return() # see cmake/development.cmake: the include path is replaced
    endif()
    target_sources(${target} INTERFACE FILE_SET HEADERS
                   BASE_DIRS "${PROJECT_SOURCE_DIR}/include" FILES ${ARGN})
endfunction()

vicinal_target(vicinal ${vicinal_headers})
add_library(vicinal::vicinal ALIAS vicinal)

# Before glibc 2.34, and elsewhere, std::shared_mutex and std::thread in a program that is not
# linked to the thread library fail when they run, not when they are linked. On newer systems the
# target is empty. A toolchain without threads (VICINAL_NO_THREADS) has no such target.
find_package(Threads QUIET)
if(Threads_FOUND)
    target_link_libraries(vicinal INTERFACE Threads::Threads)
endif()

# vicinal_component(NAME HEADERS ... LINK ...) defines vicinal::NAME. Nothing is searched here.
function(vicinal_component name)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "HEADERS;LINK")
    vicinal_target(vicinal_${name} ${arg_HEADERS})
    set_target_properties(vicinal_${name} PROPERTIES EXPORT_NAME ${name})
    target_link_libraries(vicinal_${name} INTERFACE vicinal ${arg_LINK})
    add_library(vicinal::${name} ALIAS vicinal_${name})
    set_property(GLOBAL APPEND PROPERTY VICINAL_COMPONENTS ${name})
endfunction()

include("${CMAKE_CURRENT_LIST_DIR}/foreign.cmake")

# A component whose library is missing is still installed (who asks for it later searches then);
# only programs that link it here do not build.
if(VICINAL_WITH_JSON OR VICINAL_WITH_CHROMA)
    find_package(simdjson CONFIG QUIET)
    vicinal_component(json HEADERS ${vicinal_json_headers} LINK simdjson::simdjson)
endif()
if(VICINAL_WITH_CHROMA)
    find_package(SQLite3 QUIET)
    vicinal_component(chroma HEADERS ${vicinal_chroma_headers} LINK vicinal_json SQLite::SQLite3)
endif()
if(VICINAL_WITH_COMPRESSION OR VICINAL_WITH_COLUMNAR)
    find_package(ZLIB QUIET)
    vicinal_find_zstd()
    vicinal_component(compression HEADERS ${vicinal_compression_headers}
                      LINK ZLIB::ZLIB vicinal_foreign::zstd)
endif()
if(VICINAL_WITH_COLUMNAR)
    find_package(simdjson CONFIG QUIET)
    find_package(Snappy CONFIG QUIET)
    vicinal_component(columnar HEADERS ${vicinal_columnar_headers}
                      LINK vicinal_compression Snappy::snappy simdjson::simdjson)
endif()
if(VICINAL_WITH_HDF5)
    vicinal_find_hdf5()
    vicinal_component(hdf5 HEADERS ${vicinal_hdf5_headers} LINK vicinal_foreign::hdf5)
endif()
if(VICINAL_WITH_ROARING)
    vicinal_find_roaring()
    vicinal_component(roaring LINK vicinal_foreign::roaring)
    target_compile_definitions(vicinal_roaring INTERFACE VICINAL_USE_ROARING)
endif()
if(VICINAL_WITH_EIGEN)
    find_package(Eigen3 3.3 CONFIG QUIET)
    vicinal_component(eigen HEADERS ${vicinal_eigen_headers} LINK Eigen3::Eigen)
endif()
if(VICINAL_WITH_BOOST_SERIALIZATION)
    find_package(Boost 1.66 QUIET COMPONENTS serialization)
    vicinal_component(boost_serialization HEADERS ${vicinal_boost_headers}
                      LINK Boost::serialization)
endif()
