// Commands in containers (Engine API, "Exec"). The engine starts one and tells how it ended, but has no call
// that ends it, and lets it go on when whoever asked for it hangs up: execution_script.hpp.
#include "base/crypto.hpp"
#include "base/log.hpp"
#include "runtime/docker/docker_runtime.hpp"
#include "runtime/docker/execution_script.hpp"
#include "runtime/docker/failure.hpp"
#include "runtime/docker/hijacked.hpp"
#include "runtime/docker/log_frames.hpp"

namespace agentdb9::runtime::docker {

namespace {

constexpr std::chrono::seconds kStartLimit{30};
constexpr std::chrono::seconds kGiveUpLimit{5};
constexpr std::size_t kPiece = std::size_t{32} << 10;
// What the engine says in place of our own first line.
constexpr std::size_t kLongestBeginning = 4096;
constexpr std::size_t kMostEarly = std::size_t{1} << 20;
constexpr std::size_t kMarkBytes = 12;
// The stream ends a moment before the engine knows the exit code.
constexpr std::chrono::milliseconds kExitPause{20};
constexpr int kExitLooks = 250;

base::Error not_running(const EngineAnswer& answer) {
    return base::conflict("instance_not_running", "The container does not run; start the workspace first.")
        .with_internal(answer.message());
}

void throw_exec_failure(const EngineAnswer& answer, std::string_view what) {
    // Frozen, which is no end: it goes on afterwards.
    if (answer.status == 409 && answer.message().contains("is paused")) {
        throw base::conflict("instance_paused", "The container is paused for a moment; try again.")
            .with_internal(answer.message());
    }
    if (answer.status == 409) throw not_running(answer);
    // Between the two calls.
    if (answer.message().contains("is not running")) throw not_running(answer);
    throw_instance_failure(answer, what);
}

json::array texts(const std::vector<std::string>& all) {
    json::array out;
    for (const auto& each : all)
        out.emplace_back(each);
    return out;
}

class DockerExecution final : public Execution {
  public:
    DockerExecution(EngineClient& engine, base::Clock& clock, std::string container, CommandSpec spec)
        : engine_(engine),
          clock_(clock),
          container_(std::move(container)),
          terminal_(spec.terminal),
          input_(spec.input),
          mark_(base::random_token(kMarkBytes)) {
        spec.environment.emplace_back(kExecutionVariable, mark_);
        body_ = {{"AttachStdin", spec.input},
                 {"AttachStdout", true},
                 {"AttachStderr", true},
                 {"Tty", spec.terminal.has_value()},
                 {"Cmd", texts(wrapped_command(spec))}};
        json::array environment;
        for (const auto& [name, value] : spec.environment)
            environment.emplace_back(name + "=" + value);
        body_["Env"] = std::move(environment);
    }

    Task<> begin() {
        id_ = co_await create(std::move(body_));
        auto opened = co_await engine_.hijack("/exec/" + id_ + "/start",
                                              json::object{{"Detach", false}, {"Tty", terminal_.has_value()}},
                                              kStartLimit);
        if (!opened.stream) throw_exec_failure(opened.answer, "start a command");
        stream_ = std::move(opened.stream);
        const auto in_time = co_await base::with_timeout(clock_, kStartLimit, read_first_line());
        if (!in_time) {
            co_await give_up();
            throw base::Error(base::ErrorCode::kTimeout, "runtime_timeout",
                              "The container engine did not start the command in time; it may be overloaded. "
                              "Try again in a while.");
        }
        if (input_ && !opened.both_ways) {
            co_await give_up();
            throw base::conflict(
                "no_input",
                "What stands before the container engine lets nothing through to a command. Run it "
                "without input; for terminals the operator has to let the server reach the engine "
                "itself.");
        }
        if (terminal_) co_await resize(*terminal_);
    }

    Task<Piece> read(std::span<char> room) override {
        if (!early_.empty()) {
            const auto size = std::min(room.size(), early_.size());
            early_.copy(room.data(), size);
            early_.erase(0, size);
            co_return Piece{OutputStream::kStderr, size};
        }
        co_return co_await read_next(room);
    }

    Task<Piece> read_next(std::span<char> room) {
        for (;;) {
            while (taken_ < filled_) {
                const std::string_view bytes(block_.data() + taken_, filled_ - taken_);
                if (terminal_) co_return deliver(bytes, OutputStream::kStdout, room);
                // Not more than there is room for: the rest stays where it is.
                const auto part = frames_.take(bytes.substr(0, room.size()));
                if (!part.text.empty()) co_return deliver(part.text, part.stream, room);
                taken_ += part.used;
            }
            filled_ = taken_ = 0;
            filled_ = co_await stream_->read(block_);
            if (filled_ == 0) co_return Piece{};
        }
    }

    Task<> write(std::span<const char> bytes) override { co_await stream_->write(bytes); }
    void end_input() override { stream_->shutdown_send(); }

    Task<std::optional<int>> exit_code() override {
        for (int looks = 0; looks < kExitLooks; ++looks) {
            const auto answer = co_await engine_.call("GET", "/exec/" + id_ + "/json");
            if (answer.status == 404) co_return std::nullopt;
            if (!answer.ok()) throw_failure(answer, "look at a command");
            const auto state = answer.parsed();
            if (!state.is_object()) throw_failure(answer, "look at a command");
            const auto& fields = state.get_object();
            const auto* running = fields.if_contains("Running");
            const auto* code = fields.if_contains("ExitCode");
            if (running != nullptr && running->is_bool() && !running->get_bool()) {
                if (code == nullptr || !code->is_int64()) co_return std::nullopt;
                co_return static_cast<int>(code->get_int64());
            }
            co_await clock_.sleep_for(kExitPause);
        }
        throw base::Error(base::ErrorCode::kUnavailable, "runtime_unavailable",
                          "The connection to the container engine broke off while the command ran.");
    }

    Task<> resize(TerminalSize size) override {
        const auto answer =
            co_await engine_.call("POST", "/exec/" + id_ + "/resize?h=" + std::to_string(size.rows) +
                                              "&w=" + std::to_string(size.columns));
        // One that has ended has no size; 20.10 has no code of its own for it.
        if (!answer.ok() && answer.status != 404 && answer.status != 409 && answer.status != 500)
            throw_failure(answer, "resize a terminal");
    }

    Task<> end(Force force) override {
        const std::string_view signal = force == Force::kKill ? "KILL" : terminal_ ? "HUP" : "TERM";
        const auto id = co_await create({{"AttachStdout", true},
                                         {"AttachStderr", true},
                                         {"Cmd", texts(ending_command(session_, mark_, signal))}});
        auto opened = co_await engine_.hijack("/exec/" + id + "/start",
                                              json::object{{"Detach", false}, {"Tty", false}}, kStartLimit);
        if (!opened.stream) throw_exec_failure(opened.answer, "end a command");
        std::array<char, 1024> said{};
        std::string words;
        while (const auto got = co_await opened.stream->read(said)) {
            if (words.size() < kLongestBeginning) words.append(said.data(), got);
        }
        // Where it could not be started, that is all it says.
        if (words.empty()) co_return;
        throw base::Error(base::ErrorCode::kUpstream, "runtime_error",
                          "The command could not be ended: the container starts no other process. Stop the "
                          "workspace to end it.")
            .with_internal(decode_log(words));
    }

  private:
    Task<std::string> create(json::object body) {
        const auto answer = co_await engine_.call(
            "POST", "/containers/" + percent_encode(container_) + "/exec", std::move(body));
        if (!answer.ok()) throw_exec_failure(answer, "prepare a command");
        const auto parsed = answer.parsed();
        if (!parsed.is_object()) throw_failure(answer, "prepare a command");
        co_return text_at(parsed.get_object(), "Id");
    }

    // It may begin yet, and nobody would know which it is: its mark tells.
    Task<> give_up() {
        try {
            co_await base::with_timeout(clock_, kGiveUpLimit, end(Force::kKill));
        } catch (const base::Error& error) {
            log::warning("a command that was given up may run yet", {{"reason", error.what()}});
        }
    }

    Piece deliver(std::string_view bytes, OutputStream stream, std::span<char> room) {
        const auto size = std::min(bytes.size(), room.size());
        bytes.copy(room.data(), size);
        taken_ += size;
        return {stream, size};
    }

    Task<> read_first_line() {
        std::string line;
        std::string early;
        std::array<char, 1> next{};
        while (line.size() < kLongestBeginning && early.size() < kMostEarly) {
            const auto piece = co_await read_next(next);
            if (piece.size == 0) break;
            // The two streams are two ways: what the command says on the other may be here first.
            if (piece.stream == OutputStream::kStderr) {
                early += next[0];
            } else if (next[0] == '\n') {
                break;
            } else {
                line += next[0];
            }
        }
        if (line.empty()) line = early;
        early_ = std::move(early);
        const auto beginning = read_beginning(line);
        session_ = beginning.session;
        if (!session_.empty()) co_return;
        if (beginning.no_directory)
            throw base::invalid_field("cwd", "is no directory in the workspace's container");
        if (says_no_shell(line)) {
            throw base::conflict(
                "no_shell",
                "The workspace's image has no /bin/sh, which is needed to run commands in it "
                "and to end them; use a workspace type whose image has one.")
                .with_internal(line);
        }
        EngineAnswer answer{.status = 500, .body = line};
        // The container ended just then.
        if (line.empty()) throw not_running(answer);
        throw_failure(answer, "start a command");
    }

    EngineClient& engine_;
    base::Clock& clock_;
    std::string container_;
    std::optional<TerminalSize> terminal_;
    bool input_;
    std::string mark_;
    json::object body_;
    std::string id_;
    std::string session_;
    std::unique_ptr<Hijacked> stream_;
    FrameSplitter frames_;
    std::string early_;  // of standard error, before the first line
    std::vector<char> block_ = std::vector<char>(kPiece);
    std::size_t taken_ = 0;
    std::size_t filled_ = 0;
};

}  // namespace

Task<std::unique_ptr<Execution>> DockerRuntime::execute(std::string instance, CommandSpec spec) {
    if (!co_await is_ours(instance)) throw instance_not_found();
    auto execution = std::make_unique<DockerExecution>(engine_, clock_, std::move(instance), std::move(spec));
    co_await execution->begin();
    co_return execution;
}

}  // namespace agentdb9::runtime::docker
