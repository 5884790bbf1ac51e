#include "cli/metric_list.hpp"

#include <charconv>

namespace agentdb9::cli {
namespace {

using Kind = api::Metric::Kind;

std::string seconds_text(double seconds) {
    std::array<char, 32> digits{};
    const auto end =
        std::to_chars(digits.data(), digits.data() + digits.size(), seconds, std::chars_format::fixed).ptr;
    return {digits.data(), end};
}

}  // namespace

std::string metric_label(std::string_view name, std::string_view value) {
    std::string text(name);
    text += "=\"";
    for (const char c : value) {
        if (c == '\n') {
            text += "\\n";
            continue;
        }
        if (c == '"' || c == '\\') text += '\\';
        text += c;
    }
    text += '"';
    return text;
}

void MetricList::add(std::string name, std::string help, Kind kind, double value, std::string labels,
                     std::string suffix) {
    all_.push_back({std::move(name), std::move(help), kind, value, std::move(labels), std::move(suffix)});
}

void MetricList::counter(std::string name, std::string help, std::uint64_t value, std::string labels) {
    total(std::move(name), std::move(help), static_cast<double>(value), std::move(labels));
}

void MetricList::total(std::string name, std::string help, double value, std::string labels) {
    add(std::move(name), std::move(help), Kind::kCounter, value, std::move(labels));
}

void MetricList::gauge(std::string name, std::string help, double value, std::string labels) {
    add(std::move(name), std::move(help), Kind::kGauge, value, std::move(labels));
}

// The lines of one histogram: each bucket with those below it, all from the same look, so that they agree
// with each other.
class MetricList::Buckets {
  public:
    Buckets(MetricList& list, const std::string& name, const std::string& help, std::string labels)
        : list_(list), name_(name), help_(help), labels_(std::move(labels)) {}

    void bucket(const std::string& bound, std::uint64_t in_it) {
        so_far_ += in_it;
        list_.add(name_, help_, Kind::kHistogram, static_cast<double>(so_far_),
                  labels_ + (labels_.empty() ? "" : ",") + metric_label("le", bound), "_bucket");
    }
    void end(double sum) {
        list_.add(name_, help_, Kind::kHistogram, sum, labels_, "_sum");
        list_.add(name_, help_, Kind::kHistogram, static_cast<double>(so_far_), labels_, "_count");
    }

  private:
    MetricList& list_;
    const std::string& name_;
    const std::string& help_;
    const std::string labels_;
    std::uint64_t so_far_ = 0;
};

void MetricList::histogram(const std::string& name, const std::string& help, const base::Histogram& histogram,
                           const std::string& labels) {
    const auto& bounds = base::Histogram::kBounds;
    Buckets buckets(*this, name, help, labels);
    for (std::size_t i = 0; i <= bounds.size(); ++i)
        buckets.bucket(i < bounds.size() ? seconds_text(bounds[i]) : "+Inf", histogram.bucket(i));
    buckets.end(histogram.sum_seconds());
}

void MetricList::histogram(const std::string& name, const std::string& help,
                           const proxy::Histogram& histogram) {
    const auto& bounds = proxy::Histogram::kBoundsMicroseconds;
    Buckets buckets(*this, name, help, {});
    for (std::size_t i = 0; i < histogram.buckets.size(); ++i) {
        buckets.bucket(i < bounds.size() ? seconds_text(static_cast<double>(bounds[i]) / 1e6) : "+Inf",
                       histogram.buckets[i]);
    }
    buckets.end(static_cast<double>(std::uint64_t{histogram.sum_microseconds}) / 1e6);
}

}  // namespace agentdb9::cli
