// What containers print and use.
#include "runtime/docker/docker_runtime.hpp"
#include "runtime/docker/failure.hpp"
#include "runtime/docker/output_reader.hpp"
#include "runtime/docker/usage.hpp"

namespace agentdb9::runtime::docker {

namespace {

// How long the engine may be silent within an answer that has an end.
constexpr std::chrono::seconds kSilence{15};
constexpr std::size_t kLongestStatistics = std::size_t{1} << 20;

class Lines final : public base::ByteSink {
  public:
    explicit Lines(OutputSink& sink)
        : sink_(sink), reader_([this](OutputLine line) { sink_.on_line(std::move(line)); }) {}

    Task<> write(std::span<const char> bytes) override {
        reader_.push({bytes.data(), bytes.size()});
        co_await sink_.pause();
    }
    void finish() { reader_.finish(); }

  private:
    OutputSink& sink_;
    OutputReader reader_;
};

// One JSON text a line.
class Samples final : public base::ByteSink {
  public:
    // Thrown once the container runs no more.
    struct Ended {};

    explicit Samples(UsageSink& sink) : sink_(sink) {}

    Task<> write(std::span<const char> bytes) override {
        pending_.append(bytes.data(), bytes.size());
        for (auto end = pending_.find('\n'); end != std::string::npos; end = pending_.find('\n')) {
            boost::system::error_code ec;
            const auto value = json::parse(json::string_view(pending_.data(), end), ec);
            pending_.erase(0, end + 1);
            if (ec) continue;
            if (!is_running(value)) throw Ended();
            if (const auto usage = usage_from(value)) sink_.on_usage(*usage);
        }
        if (pending_.size() > kLongestStatistics) pending_.clear();
        co_return;
    }

  private:
    UsageSink& sink_;
    std::string pending_;
};

// A log driver that keeps nothing to read (`none`, syslog …) is refused with words of the engine's own.
void throw_output_failure(const EngineAnswer& answer) {
    if (answer.message().find("does not support reading") != std::string::npos) {
        throw base::conflict("logs_not_kept",
                             "The container engine keeps no output of containers that could be read: its log "
                             "driver is to be changed to 'local' or 'json-file' by the server's operator.")
            .with_internal(answer.message());
    }
    throw_instance_failure(answer, "read output");
}

}  // namespace

Task<> DockerRuntime::read_output(std::string id, OutputQuery query, OutputSink& sink) {
    if (!co_await is_ours(id)) throw instance_not_found();
    auto target = "/containers/" + percent_encode(id) + "/logs?stdout=1&stderr=1&timestamps=1";
    if (query.tail) target += "&tail=" + std::to_string(*query.tail);
    if (query.since_ns) target += "&since=" + since_text(*query.since_ns);
    if (query.follow) target += "&follow=1";
    Lines lines(sink);
    const auto answer = query.follow ? co_await engine_.follow(std::move(target), lines)
                                     : co_await engine_.download(std::move(target), lines, kSilence);
    if (!answer.ok()) throw_output_failure(answer);
    lines.finish();
}

Task<std::optional<Usage>> DockerRuntime::usage(std::string id) {
    if (!co_await is_ours(id)) throw instance_not_found();
    const auto answer =
        co_await engine_.call("GET", "/containers/" + percent_encode(id) + "/stats?stream=false");
    if (!answer.ok()) throw_instance_failure(answer, "read statistics");
    co_return usage_from(answer.parsed());
}

Task<std::optional<model::UseCounters>> DockerRuntime::counters(std::string id) {
    if (!co_await is_ours(id)) throw instance_not_found();
    const auto answer = co_await engine_.call(
        "GET", "/containers/" + percent_encode(id) + "/stats?stream=false&one-shot=true");
    if (!answer.ok()) throw_instance_failure(answer, "read statistics");
    co_return counters_from(answer.parsed());
}

Task<> DockerRuntime::follow_usage(std::string id, UsageSink& sink) {
    if (!co_await is_ours(id)) throw instance_not_found();
    Samples samples(sink);
    EngineAnswer answer{.status = 200, .body = {}};
    try {
        answer = co_await engine_.follow("/containers/" + percent_encode(id) + "/stats", samples);
    } catch (const Samples::Ended&) {
        co_return;
    }
    if (!answer.ok()) throw_instance_failure(answer, "follow statistics");
}

}  // namespace agentdb9::runtime::docker
