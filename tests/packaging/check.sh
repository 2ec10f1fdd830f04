#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# check.sh NAME SOURCE DIRECTORY: one way of taking vicinal in, tried in DIRECTORY (made anew).
set -euo pipefail

check=$1 source=$2 directory=$3
here=$source/tests/packaging
version=$(sed -n 's/^#define VICINAL_VERSION_M[A-Z]* //p; s/^#define VICINAL_VERSION_PATCH //p' \
    "$source/include/vicinal/core/config.hpp" | paste -sd.)
strict="-std=c++20 -Wall -Wextra -Wpedantic -Wconversion -Wsign-conversion -Wshadow \
-Wold-style-cast -Werror"
rm -rf "$directory"
mkdir -p "$directory"
cd "$directory"

fail() {
    echo "packaging: $*" >&2
    exit 1
}

# What a program compiled from consumer.cpp must print.
expect_version() {
    local got
    got=$("$@")
    [ "$got" = "vicinal $version" ] || fail "expected 'vicinal $version', got '$got'"
}

# Configures without compiling anything of vicinal's own, and installs into ./prefix.
install_here() {
    cmake -S "$source" -B package -G Ninja -DCMAKE_INSTALL_PREFIX="$PWD/prefix" \
        -DVICINAL_BUILD_TESTS=OFF -DVICINAL_BUILD_BENCH=OFF -DVICINAL_BUILD_EXAMPLES=OFF \
        -DVICINAL_BUILD_TOOLS=OFF >configure.log || { cat configure.log; fail "configure"; }
    cmake --install package >install.log || { cat install.log; fail "install"; }
    # Moved, to see that nothing in it remembers where it was made.
    mkdir moved && mv prefix moved/
    prefix=$PWD/moved/prefix
}

build() { # build CONSUMER OPTIONS...: configures and builds it in ./build
    local consumer=$1
    shift
    cmake -S "$here/$consumer" -B build -G Ninja -DCMAKE_BUILD_TYPE=None \
        -DCMAKE_CXX_FLAGS="$strict" "$@" >build.log 2>&1 &&
        cmake --build build >>build.log 2>&1 || { cat build.log; fail "$consumer does not build"; }
}

case $check in
    installed)
        install_here
        build find_package -DCMAKE_PREFIX_PATH="$prefix"
        expect_version build/consumer
        if grep -rq "$source" "$prefix"; then
            fail "the installation names the directory that it was made from"
        fi
        ;;
    components)
        install_here
        build find_package -DCMAKE_PREFIX_PATH="$prefix" \
            "-DCOMPONENTS=json;chroma;boost_serialization;compression;columnar;hdf5;eigen"
        expect_version build/consumer
        ;;
    missing_component)
        install_here
        if cmake -S "$here/find_package" -B unknown -G Ninja -DCMAKE_PREFIX_PATH="$prefix" \
            -DCOMPONENTS=teleport >unknown.log 2>&1; then
            fail "find_package accepted a component that does not exist"
        fi
        grep -q "component teleport" unknown.log || fail "the error does not name the component"
        # A foreign library that is not there stops only who asks for its component.
        if cmake -S "$here/find_package" -B without -G Ninja -DCMAKE_PREFIX_PATH="$prefix" \
            -DCOMPONENTS=json -DCMAKE_DISABLE_FIND_PACKAGE_simdjson=ON >without.log 2>&1; then
            fail "find_package accepted json without simdjson"
        fi
        grep -q "needs simdjson" without.log || fail "the error does not name simdjson"
        build find_package -DCMAKE_PREFIX_PATH="$prefix" \
            -DCMAKE_DISABLE_FIND_PACKAGE_simdjson=ON -DCMAKE_DISABLE_FIND_PACKAGE_SQLite3=ON
        ;;
    subdirectory)
        build subdirectory "-DVICINAL_SOURCE=$source"
        expect_version build/consumer
        ;;
    fetch_content)
        build fetch_content "-DVICINAL_SOURCE=$source"
        expect_version build/consumer
        ;;
    single_file)
        # A copy of the one file, and the standard library.
        cp "$source/single_include/vicinal.hpp" .
        "$CXX" $strict -I. -DVICINAL_COPIED "$here/consumer.cpp" -o consumer -pthread
        expect_version ./consumer
        ;;
    pkg_config)
        install_here
        export PKG_CONFIG_PATH=$prefix/share/pkgconfig
        [ "$(pkg-config --modversion vicinal)" = "$version" ] || fail "pkg-config --modversion"
        "$CXX" $strict $(pkg-config --cflags vicinal) "$here/consumer.cpp" \
            $(pkg-config --libs vicinal) -o consumer
        expect_version ./consumer
        ;;
    two_units)
        for unit in consumer.cpp other_unit.cpp; do
            "$CXX" $strict -I"$source/single_include" -DVICINAL_COPIED -DVICINAL_TWO_UNITS \
                -c "$here/$unit"
        done
        "$CXX" consumer.o other_unit.o -o consumer -pthread
        expect_version ./consumer
        ;;
    min_max_macros)
        "$CXX" $strict -I"$source/single_include" -fsyntax-only "$here/min_max_macros.cpp"
        ;;
    no_exceptions)
        "$CXX" $strict -fno-exceptions -fno-rtti -I"$source/single_include" -DVICINAL_COPIED \
            "$here/consumer.cpp" -o consumer -pthread
        expect_version ./consumer
        ;;
    version)
        grep -q "^// vicinal $version," "$source/single_include/vicinal.hpp" ||
            fail "single_include/vicinal.hpp has another version than core/config.hpp"
        grep -qE "^## ($version|Unreleased)" "$source/CHANGELOG.md" ||
            fail "CHANGELOG.md has no section for $version"
        abi=v${version%.*}
        grep -qE "VICINAL_ABI ${abi//./_}$" "$source/include/vicinal/core/config.hpp" ||
            fail "the inline namespace is not ${abi//./_}"
        install_here
        grep -qF "set(PACKAGE_VERSION \"$version\")" \
            "$prefix/share/cmake/vicinal/vicinal-config-version.cmake" || fail "CMake's version"
        grep -q "^Version: $version$" "$prefix/share/pkgconfig/vicinal.pc" || fail "the .pc file"
        ;;
    *) fail "no check is named $check" ;;
esac
