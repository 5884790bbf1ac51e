# Every library that the program uses, in one place, with its reason. All are packages of Debian 12
# (scripts/lib/packages.sh installs them).
#
#   Boost 1.81     Asio: coroutines, sockets and timers; Beast: the engine client's HTTP; JSON; URL
#   OpenSSL 3      HMAC and SHA-256 (access tokens, cookies, recipe hashes); TLS of the listeners
#   libsodium      argon2id for passwords, random bytes
#   libcrypt       checks bcrypt hashes of accounts that an earlier backend made
#   SQLite 3       the store
#   libpq          the store, on PostgreSQL
#   libarchive     backups: reading and writing tar, whoever wrote it
#   libzstd        backups: their compression
#   libnftables    the firewall around workspaces, on Linux's own terms and without a program to call
#   CLI11          the command line
#   libcurl        the command line as a client of a server anywhere: HTTP, TLS, proxies
#   date           time zones, of the system's zoneinfo (libstdc++ 12 has none)
#   toml++         the configuration file
#   spdlog         log sinks and levels
#   GoogleTest     tests only

find_package(Threads REQUIRED)
find_package(OpenSSL 3 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PostgreSQL REQUIRED)
find_package(spdlog REQUIRED)
find_package(CLI11 REQUIRED)
find_package(CURL 7.85 REQUIRED)
find_package(date REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(sodium REQUIRED IMPORTED_TARGET libsodium)
pkg_check_modules(archive REQUIRED IMPORTED_TARGET libarchive)
pkg_check_modules(zstd REQUIRED IMPORTED_TARGET libzstd)
pkg_check_modules(nftables REQUIRED IMPORTED_TARGET libnftables)
pkg_check_modules(tomlplusplus REQUIRED IMPORTED_TARGET tomlplusplus)

find_path(BOOST_INCLUDE boost/version.hpp REQUIRED)
file(STRINGS ${BOOST_INCLUDE}/boost/version.hpp boost_version REGEX "#define BOOST_VERSION ")
if(NOT boost_version MATCHES "1081[0-9][0-9]")
    message(FATAL_ERROR "Boost 1.81 is required (libboost1.81-dev); found: ${boost_version}")
endif()

# Boost is used with separate compilation: its function bodies are compiled once, here. The target also owns the
# precompiled header that every folder reuses.
add_library(agentdb9_boost STATIC ${PROJECT_SOURCE_DIR}/cmake/boost/boost.cpp)
target_precompile_headers(agentdb9_boost PRIVATE ${PROJECT_SOURCE_DIR}/cmake/boost/pch.hpp)
target_link_libraries(agentdb9_boost PUBLIC Threads::Threads)
target_include_directories(agentdb9_boost SYSTEM PUBLIC ${BOOST_INCLUDE})
target_compile_definitions(agentdb9_boost PUBLIC
    BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED BOOST_ASIO_HAS_CO_AWAIT
    # Coroutine frames that a thread keeps for the next ones: a relayed request has about ten.
    BOOST_ASIO_RECYCLING_ALLOCATOR_CACHE_SIZE=16
    BOOST_BEAST_SEPARATE_COMPILATION BOOST_JSON_NO_LIB BOOST_URL_NO_LIB BOOST_ALL_NO_LIB
    BOOST_JSON_STATIC_LINK BOOST_URL_STATIC_LINK)

if(AGENTDB9_TESTS)
    find_package(GTest REQUIRED)
endif()
