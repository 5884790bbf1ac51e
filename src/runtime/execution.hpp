// Commands in an instance: what they print, what they read, how they end. Two implementations:
// docker::DockerRuntime and, in the tests, one that is told what to say.
//
// Control executor. Errors as in runtime.hpp, and
//   kNotFound  "instance_not_found"    it is not there, or not this installation's
//   kConflict  "instance_not_running"  it does not run
//   kConflict  "instance_paused"       it is frozen, and goes on afterwards
//   kConflict  "no_input"              a proxy before the runtime lets none through
//   kConflict  "no_shell"              its image has no /bin/sh, without which nothing could be ended again
//   kInvalid   "invalid_field" (cwd)   the directory is not there
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/async.hpp"
#include "runtime/monitoring.hpp"

namespace agentdb9::runtime {

struct TerminalSize {
    int columns = 80;
    int rows = 24;
};

struct CommandSpec {
    std::vector<std::string> command;  // not empty; no text has a NUL
    std::string directory;             // absolute
    // Beside what the instance has; names without '='.
    std::vector<std::pair<std::string, std::string>> environment;
    bool input = false;                    // else it reads an end at once
    std::optional<TerminalSize> terminal;  // else its two streams are kept apart
};

// A command that was begun. It goes on when this dies, for no engine has a call that ends one: end() does,
// from inside.
class Execution {
  public:
    virtual ~Execution() = default;

    struct Piece {
        OutputStream stream = OutputStream::kStdout;
        std::size_t size = 0;  // 0: nothing more comes
    };
    // Waits for bytes of one of its streams. What is not read is kept from being printed: the command waits
    // then. A read that is cancelled loses nothing.
    virtual Task<Piece> read(std::span<char> room) = 0;
    // Waits until it has been taken. What nobody reads any more is dropped.
    virtual Task<> write(std::span<const char> bytes) = 0;
    virtual void end_input() = 0;
    // After the last piece. Absent: it was never told, for the instance went with it. Throws kUnavailable
    // "runtime_unavailable" where it goes on: only what it printed broke off.
    virtual Task<std::optional<int>> exit_code() = 0;
    // Of a terminal. One that has ended: nothing happens.
    virtual Task<> resize(TerminalSize size) = 0;

    enum class Force {
        kAsk,   // SIGHUP with a terminal, else SIGTERM
        kKill,  // SIGKILL
    };
    // Signals all of its processes: those of its session, and those that left it but have kept its
    // environment. What the signal does takes its time. Throws where it could not be done.
    virtual Task<> end(Force force) = 0;
};

class Executions {
  public:
    virtual ~Executions() = default;

    // As the image's user. Returns once the command is about to run; that it cannot be found is told as a
    // shell does: by its streams, and exit code 127.
    virtual Task<std::unique_ptr<Execution>> execute(std::string instance, CommandSpec spec) = 0;
};

}  // namespace agentdb9::runtime
