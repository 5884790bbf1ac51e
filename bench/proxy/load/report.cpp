#include "report.hpp"

#include <algorithm>
#include <cstdio>

namespace agentdb9::bench {
namespace {

std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) {
        const bool plain = c >= ' ' && c < '\x7f' && c != '"' && c != '\\';
        out += plain ? c : '?';
    }
    return out + '"';
}

}  // namespace

std::uint64_t Report::error_count() const {
    std::uint64_t sum = 0;
    for (const auto& [what, count] : errors_)
        sum += count;
    return sum;
}

void Report::print() {
    const auto ran = Clock::now() - began_;
    auto numbers = numbers_;
    if (!times_.empty()) {
        std::ranges::sort(times_);
        const auto at = [&](double part) {
            const auto index = static_cast<std::size_t>(part * static_cast<double>(times_.size() - 1) + 0.5);
            return std::chrono::duration<double, std::micro>(times_[index]).count();
        };
        numbers["p50"] = at(0.5);
        numbers["p99"] = at(0.99);
        numbers["max"] = at(1);
    }
    numbers["seconds"] = std::chrono::duration<double>(ran).count();
    std::string out = "{\"done\":" + std::to_string(done_) + ",\"bytes\":" + std::to_string(bytes_);
    for (const auto& [name, value] : numbers)
        out += "," + quoted(name) + ":" + std::to_string(value);
    out += ",\"errors\":{";
    for (bool first = true; const auto& [what, count] : errors_) {
        out += (first ? "" : ",") + quoted(what) + ":" + std::to_string(count);
        first = false;
    }
    std::puts((out + "}}").c_str());
    std::fflush(stdout);
}

}  // namespace agentdb9::bench
