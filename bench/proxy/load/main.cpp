// One process of load on a proxy on 127.0.0.1. What it saw is the last line of its output.
#include <csignal>
#include <cstdio>
#include <iostream>
#include <map>
#include <stdexcept>

#include "modes.hpp"

namespace agentdb9::bench {
namespace {

constexpr const char* kUsage =
    "usage: bench_proxy_load http|websocket|idle|slow port=N target=/PATH token=TEXT [connections=N] "
    "[seconds=S]\n"
    "                        [rate=R] [bytes=N]\n"
    "       bench_proxy_load spin\n";

Options parse(int argc, char** argv) {
    Options options;
    for (int i = 2; i < argc; ++i) {
        const std::string word = argv[i];
        const auto equals = word.find('=');
        const auto name = word.substr(0, equals);
        const auto value = equals == word.npos ? std::string() : word.substr(equals + 1);
        if (name == "port")
            options.port = static_cast<std::uint16_t>(std::stoul(value));
        else if (name == "target")
            options.target = value;
        else if (name == "token")
            options.token = value;
        else if (name == "connections")
            options.connections = std::stoul(value);
        else if (name == "seconds")
            options.duration = std::chrono::milliseconds(static_cast<long>(std::stod(value) * 1000));
        else if (name == "rate")
            options.rate = std::stod(value);
        else if (name == "bytes")
            options.bytes = std::stoul(value);
        else
            throw std::invalid_argument("there is no option " + name);
    }
    return options;
}

int run(int argc, char** argv) {
    using Mode = void (*)(const Options&, Report&);
    const std::map<std::string, Mode> modes{
        {"http", load_http}, {"websocket", load_websocket}, {"idle", hold_websockets}, {"slow", read_slowly}};
    const std::string word = argc > 1 ? argv[1] : "";
    if (word == "spin") spin();
    const auto mode = modes.find(word);
    if (mode == modes.end()) {
        std::cerr << kUsage;
        return 2;
    }
    std::signal(SIGPIPE, SIG_IGN);
    const auto options = parse(argc, argv);
    Report report;
    mode->second(options, report);
    report.print();
    return 0;
}

}  // namespace
}  // namespace agentdb9::bench

int main(int argc, char** argv) {
    try {
        return agentdb9::bench::run(argc, argv);
    } catch (const std::exception& error) {
        std::cerr << "error: " << error.what() << "\n";
        return 1;
    }
}
