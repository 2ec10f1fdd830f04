// SPDX-License-Identifier: MIT
#ifndef VICINAL_BACKEND_CHROMA_OPCODE_HPP
#define VICINAL_BACKEND_CHROMA_OPCODE_HPP

#include <vicinal/core/config.hpp>

#include <cstdint>
#include <string>

namespace vicinal::inline VICINAL_ABI::detail {

/// The operations of Python's pickle machine that the maps of Chroma's index are made of.
enum class opcode : std::uint8_t {
    mark = '(',
    stop = '.',
    binint = 'J',
    binint1 = 'K',
    binint2 = 'M',
    none = 'N',
    binunicode = 'X',
    binbytes = 'B',
    short_binbytes = 'C',
    append = 'a',
    build = 'b',
    global = 'c',
    appends = 'e',
    binget = 'h',
    long_binget = 'j',
    binput = 'q',
    long_binput = 'r',
    setitem = 's',
    setitems = 'u',
    empty_tuple = ')',
    empty_list = ']',
    empty_dict = '}',
    proto = 0x80,
    newobj = 0x81,
    newtrue = 0x88,
    newfalse = 0x89,
    long1 = 0x8a,
    short_binunicode = 0x8c,
    binunicode8 = 0x8d,
    stack_global = 0x93,
    memoize = 0x94,
    frame = 0x95,
};

/// The name of an operation that is refused, as Python's pickletools has it, or its number.
[[nodiscard]] inline std::string refused_opcode(std::uint8_t code) {
    switch (code) {
        case 'R': return "REDUCE";
        case 'i': return "INST";
        case 'o': return "OBJ";
        case 'P': return "PERSID";
        case 'Q': return "BINPERSID";
        case 0x82: return "EXT1";
        case 0x83: return "EXT2";
        case 0x84: return "EXT4";
        case 0x92: return "NEWOBJ_EX";
        case '0': return "POP";
        case '1': return "POP_MARK";
        case '2': return "DUP";
        case 'F': return "FLOAT";
        case 'G': return "BINFLOAT";
        case 'I': return "INT";
        case 'L': return "LONG";
        case 'S': return "STRING";
        case 'T': return "BINSTRING";
        case 'U': return "SHORT_BINSTRING";
        case 'V': return "UNICODE";
        case 'd': return "DICT";
        case 'l': return "LIST";
        case 't': return "TUPLE";
        case 'g': return "GET";
        case 'p': return "PUT";
        case 0x85: return "TUPLE1";
        case 0x86: return "TUPLE2";
        case 0x87: return "TUPLE3";
        case 0x8b: return "LONG4";
        case 0x8e: return "BINBYTES8";
        case 0x8f: return "EMPTY_SET";
        case 0x90: return "ADDITEMS";
        case 0x91: return "FROZENSET";
        case 0x96: return "BYTEARRAY8";
        case 0x97: return "NEXT_BUFFER";
        case 0x98: return "READONLY_BUFFER";
        default: return "opcode " + std::to_string(code);
    }
}

} // namespace vicinal::inline VICINAL_ABI::detail

#endif
