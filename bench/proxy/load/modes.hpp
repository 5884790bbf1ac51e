// The kinds of load. Each opens its connections, prints "open", waits for a line or the end of standard
// input, and then runs on the calling thread for a bounded time. A Report is told what it saw.
#pragma once

#include <cstdint>
#include <string>

#include "report.hpp"

namespace agentdb9::bench {

struct Options {
    std::uint16_t port = 0;
    std::string target = "/";
    std::string token;
    std::size_t connections = 1;
    std::chrono::milliseconds duration{1'000};
    // Requests a second in all, or messages a second on each connection; 0: the next one follows an answer.
    double rate = 0;
    std::size_t bytes = 64;  // of an answer's body, or of a message
};

// GET on kept connections. With a rate, requests are due at fixed times and their times count from when they
// were due, so that a proxy which stands still is not spared the requests that it kept from being sent.
void load_http(const Options& options, Report& report);
// WebSocket messages that come back as they were. With a rate, as above; messages then wait in order.
void load_websocket(const Options& options, Report& report);
// WebSockets that are used once and then silent until standard input says something or ends; then each has to
// work still.
void hold_websockets(const Options& options, Report& report);
// GET on connections that read one byte a second, until standard input says something or ends.
void read_slowly(const Options& options, Report& report);
// Keeps a processor from sleeping, at a priority that yields to everything: waking one that sleeps costs a
// virtual machine more than the work that is measured. Until killed.
[[noreturn]] void spin();

std::string get_request(const Options& options);
// Prints "open" and waits as said above.
void await_word();

}  // namespace agentdb9::bench
