# SPDX-License-Identifier: MIT
# Everything installed is independent of the architecture, hence share/. Each component has an
# export set of its own, so that find_package(vicinal) looks for no foreign library.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
set(vicinal_package_dir "${CMAKE_INSTALL_DATADIR}/cmake/vicinal")

get_property(vicinal_components GLOBAL PROPERTY VICINAL_COMPONENTS)
install(TARGETS vicinal EXPORT vicinal-targets FILE_SET HEADERS)
install(EXPORT vicinal-targets NAMESPACE vicinal:: DESTINATION "${vicinal_package_dir}")
foreach(component IN LISTS vicinal_components)
    install(TARGETS vicinal_${component} EXPORT vicinal-${component}-targets FILE_SET HEADERS)
    install(EXPORT vicinal-${component}-targets NAMESPACE vicinal::
            DESTINATION "${vicinal_package_dir}")
endforeach()

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/vicinal-config.cmake.in"
    "${PROJECT_BINARY_DIR}/vicinal-config.cmake" INSTALL_DESTINATION "${vicinal_package_dir}"
    NO_SET_AND_CHECK_MACRO)
# Before 1.0 a minor version may change what users type.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/vicinal-config-version.cmake"
    COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES "${PROJECT_BINARY_DIR}/vicinal-config.cmake"
              "${PROJECT_BINARY_DIR}/vicinal-config-version.cmake"
              "${CMAKE_CURRENT_LIST_DIR}/foreign.cmake"
        DESTINATION "${vicinal_package_dir}")

# Relocatable: the prefix is found from the place of the .pc file.
file(RELATIVE_PATH vicinal_pc_prefix "/${CMAKE_INSTALL_DATADIR}/pkgconfig" "/")
string(REGEX REPLACE "/$" "" vicinal_pc_prefix "${vicinal_pc_prefix}")
configure_file("${CMAKE_CURRENT_LIST_DIR}/vicinal.pc.in" "${PROJECT_BINARY_DIR}/vicinal.pc" @ONLY)
install(FILES "${PROJECT_BINARY_DIR}/vicinal.pc" DESTINATION "${CMAKE_INSTALL_DATADIR}/pkgconfig")
install(FILES "${PROJECT_SOURCE_DIR}/LICENSE"
        DESTINATION "${CMAKE_INSTALL_DATADIR}/licenses/vicinal")
