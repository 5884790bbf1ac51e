// The lines of /metrics while they are put together. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "api/server_routes.hpp"
#include "base/histogram.hpp"
#include "proxy/metrics.hpp"

namespace agentdb9::cli {

// `labels` as they stand in a line: `call="GET /info",outcome="done"`; empty: none. Lines of one name are
// added one after the other.
class MetricList {
  public:
    void counter(std::string name, std::string help, std::uint64_t value, std::string labels = {});
    // The same for one that counts parts: seconds.
    void total(std::string name, std::string help, double value, std::string labels = {});
    void gauge(std::string name, std::string help, double value, std::string labels = {});
    void histogram(const std::string& name, const std::string& help, const base::Histogram& histogram,
                   const std::string& labels = {});
    void histogram(const std::string& name, const std::string& help, const proxy::Histogram& histogram);
    // One line for each word, with the label `label`.
    template <std::size_t Size>
    void by_word(const std::string& name, const std::string& help, const std::string& label,
                 const std::array<std::string_view, Size>& words,
                 const std::array<proxy::Counter, Size>& counters) {
        for (std::size_t i = 0; i < Size; ++i)
            counter(name, help, counters[i], label + "=\"" + std::string(words[i]) + "\"");
    }
    std::vector<api::Metric> take() { return std::move(all_); }

  private:
    class Buckets;
    void add(std::string name, std::string help, api::Metric::Kind kind, double value, std::string labels,
             std::string suffix = {});
    std::vector<api::Metric> all_;
};

// `name="value"`, with what must not stand in a value escaped.
std::string metric_label(std::string_view name, std::string_view value);

}  // namespace agentdb9::cli
