// What is remembered between two commands: the server and the tokens of one login, in one file of mode 0600
// in a directory of mode 0700. Blocking; main thread. Several processes may use it at once: it is replaced
// whole (rename), and whoever changes it holds its lock.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "base/descriptor.hpp"

namespace agentdb9::cli::client {

struct StoredSession {
    std::string url;
    std::string ca_file;  // absolute; empty: the system's authorities
    std::string email;
    // An API token, or a session's two tokens.
    std::string api_token;
    std::string access_token;
    std::string refresh_token;
    std::int64_t access_expires_at = 0;  // seconds since 1970, by this machine's clock

    bool operator==(const StoredSession&) const = default;
};

class SessionFile {
  public:
    explicit SessionFile(std::filesystem::path path) : path_(std::move(path)) {}
    // In $XDG_CONFIG_HOME/agentdb9, else ~/.config/agentdb9. Throws base::Error{kInvalid, "no_home"} where
    // neither is set.
    static SessionFile of_user();

    const std::filesystem::path& path() const { return path_; }

    // Absent: nobody has logged in. Throws base::Error{kInvalid, "session_file_broken"} for what is no
    // session, and {kInternal, "session_file_unreadable"} for what the system refuses. A file that others may
    // read is closed to them, and `was_open` says so.
    std::optional<StoredSession> load();
    bool was_open() const { return was_open_; }
    // Durable when it returns; what was there stays whole until then. Throws {kInternal,
    // "session_file_unwritable"}.
    void save(const StoredSession& session);
    // Nothing, where there is none.
    void remove();

    // Held until it goes out of scope. Throws {kUnavailable, "session_file_busy"} when another command does
    // not let go of it within `patience`.
    [[nodiscard]] base::Descriptor lock(std::chrono::milliseconds patience = std::chrono::seconds(45));

  private:
    void make_directory();
    [[noreturn]] void refuse_writing(const std::string& why) const;

    std::filesystem::path path_;
    bool was_open_ = false;
};

}  // namespace agentdb9::cli::client
