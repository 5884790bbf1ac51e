// The parsers of foreign bytes, each behind one function that takes any bytes and throws a Broken where an
// invariant does not hold. libFuzzer calls them (preset `fuzz`), and so does the replay in the ordinary test
// run.
#pragma once

#include <span>
#include <stdexcept>
#include <string_view>

namespace agentdb9::fuzz {

struct Broken : std::logic_error {
    using std::logic_error::logic_error;
};

inline void require(bool holds, const char* what) {
    if (!holds) throw Broken(what);
}

// Whatever is accepted goes to an upstream as one request which reads as the same one, however the bytes are
// split.
void request(std::string_view bytes);
// The same for an application's answer.
void response(std::string_view bytes);
void chunked(std::string_view bytes);
// Cookies both ways: none of ours reaches an application, none of an application's leaves its prefix.
void cookies(std::string_view bytes);
// Paths, queries and tickets.
void door(std::string_view bytes);
// Host names of applications.
void host(std::string_view bytes);
void websocket(std::string_view bytes);

struct Target {
    std::string_view name;  // of its corpus as well
    void (*run)(std::string_view);
};
std::span<const Target> targets();

}  // namespace agentdb9::fuzz
