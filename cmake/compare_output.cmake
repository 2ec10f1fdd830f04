# SPDX-License-Identifier: MIT
# Runs PROGRAM in the empty DIRECTORY and compares its standard output with the file EXPECTED.

file(REMOVE_RECURSE "${DIRECTORY}")
file(MAKE_DIRECTORY "${DIRECTORY}")
execute_process(COMMAND "${PROGRAM}" WORKING_DIRECTORY "${DIRECTORY}"
                OUTPUT_VARIABLE got RESULT_VARIABLE status)
file(READ "${EXPECTED}" expected)
if(NOT status EQUAL 0)
    message(FATAL_ERROR "${PROGRAM} ended with ${status} after printing:\n${got}")
endif()
if(NOT got STREQUAL expected)
    message(FATAL_ERROR "${PROGRAM} printed:\n${got}\nexpected, from ${EXPECTED}:\n${expected}")
endif()
