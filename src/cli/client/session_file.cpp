#include "cli/client/session_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <string_view>
#include <system_error>
#include <thread>

#include "base/error.hpp"
#include "base/json.hpp"

namespace agentdb9::cli::client {
namespace {

using base::Descriptor;
using base::Error;
using base::ErrorCode;

constexpr int kVersion = 1;
constexpr std::size_t kMaxBytes = 64 * 1024;
constexpr std::chrono::milliseconds kTryAgain{20};

std::string reason() {
    return std::error_code(errno, std::system_category()).message();
}

std::string text_in(const json::object& object, std::string_view key) {
    const auto* value = object.if_contains(key);
    return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

std::string read_all(int fd, const std::filesystem::path& path) {
    std::string text;
    std::array<char, 4096> piece{};
    while (text.size() <= kMaxBytes) {
        const auto got = ::read(fd, piece.data(), piece.size());
        if (got == 0) return text;
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) {
            throw Error(ErrorCode::kInternal, "session_file_unreadable",
                        path.string() + " cannot be read: " + reason() + ".");
        }
        text.append(piece.data(), static_cast<std::size_t>(got));
    }
    return text;
}

// What is wrong with it is told without a word of what stands in it.
std::optional<StoredSession> parse(const std::string& text) {
    if (text.size() > kMaxBytes) return std::nullopt;
    const auto value = base::parse_json_or(text, nullptr);
    if (!value.is_object()) return std::nullopt;
    const auto& object = value.get_object();
    const auto* version = object.if_contains("version");
    if (version == nullptr || !version->is_int64() || version->get_int64() != kVersion) return std::nullopt;
    StoredSession session{.url = text_in(object, "url"),
                          .ca_file = text_in(object, "caFile"),
                          .email = text_in(object, "email"),
                          .api_token = text_in(object, "apiToken"),
                          .access_token = text_in(object, "accessToken"),
                          .refresh_token = text_in(object, "refreshToken")};
    if (const auto* expiry = object.if_contains("accessExpiresAt"); expiry != nullptr && expiry->is_int64())
        session.access_expires_at = expiry->get_int64();
    const bool has_token =
        !session.api_token.empty() || (!session.access_token.empty() && !session.refresh_token.empty());
    if (session.url.empty() || !has_token) return std::nullopt;
    return session;
}

std::string to_text(const StoredSession& session) {
    json::object object{{"version", kVersion}, {"url", session.url}, {"email", session.email}};
    if (!session.ca_file.empty()) object["caFile"] = session.ca_file;
    if (!session.api_token.empty()) {
        object["apiToken"] = session.api_token;
    } else {
        object["accessToken"] = session.access_token;
        object["accessExpiresAt"] = session.access_expires_at;
        object["refreshToken"] = session.refresh_token;
    }
    return base::to_text(object) + "\n";
}

bool write_all(int fd, std::string_view text) {
    while (!text.empty()) {
        const auto written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        text.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

}  // namespace

SessionFile SessionFile::of_user() {
    const auto set = [](const char* name) {
        const auto* value = std::getenv(name);
        return value != nullptr && *value != '\0' ? std::filesystem::path(value) : std::filesystem::path();
    };
    // The XDG base directory specification: a relative path there is to be ignored.
    if (const auto xdg = set("XDG_CONFIG_HOME"); xdg.is_absolute())
        return SessionFile(xdg / "agentdb9" / "client.json");
    if (const auto home = set("HOME"); home.is_absolute())
        return SessionFile(home / ".config" / "agentdb9" / "client.json");
    throw Error(ErrorCode::kInvalid, "no_home",
                "Where to keep the login is not known: set HOME or XDG_CONFIG_HOME, or use AGENTDB9_URL and "
                "AGENTDB9_TOKEN instead.");
}

std::optional<StoredSession> SessionFile::load() {
    was_open_ = false;
    const Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) {
        if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
        throw Error(ErrorCode::kInternal, "session_file_unreadable",
                    path_.string() + " cannot be read: " + reason() + ".");
    }
    struct stat facts{};
    if (::fstat(file.get(), &facts) == 0 && S_ISREG(facts.st_mode) && (facts.st_mode & 077) != 0) {
        was_open_ = true;
        ::fchmod(file.get(), 0600);
    }
    auto session = parse(read_all(file.get(), path_));
    if (!session) {
        throw Error(ErrorCode::kInvalid, "session_file_broken",
                    path_.string() +
                        " holds no login that this program can read: log in again with 'agentdb9 "
                        "login', which replaces it.");
    }
    return session;
}

void SessionFile::refuse_writing(const std::string& why) const {
    throw Error(ErrorCode::kInternal, "session_file_unwritable",
                "The login cannot be kept in " + path_.string() + ": " + why +
                    ". Make room or give yourself the right to write there, then try again.");
}

void SessionFile::make_directory() {
    const auto directory = path_.parent_path();
    std::error_code ec;
    if (std::filesystem::is_directory(directory, ec)) return;
    std::filesystem::create_directories(directory.parent_path(), ec);
    if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) refuse_writing(reason());
}

void SessionFile::save(const StoredSession& session) {
    make_directory();
    auto place = path_.string() + ".XXXXXX";
    const Descriptor file(::mkostemp(place.data(), O_CLOEXEC));  // mode 0600
    if (!file) refuse_writing(reason());
    if (!write_all(file.get(), to_text(session)) || ::fsync(file.get()) != 0 ||
        ::rename(place.c_str(), path_.c_str()) != 0) {
        const auto why = reason();
        ::unlink(place.c_str());
        refuse_writing(why);
    }
    const Descriptor directory(::open(path_.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory) ::fsync(directory.get());
}

void SessionFile::remove() {
    if (::unlink(path_.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR) refuse_writing(reason());
}

Descriptor SessionFile::lock(std::chrono::milliseconds patience) {
    make_directory();
    // A file of its own: the other one is replaced, and a lock on what was replaced holds nobody off.
    const auto place = path_.string() + ".lock";
    Descriptor file(::open(place.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
    if (!file) refuse_writing(reason());
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (::flock(file.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno != EWOULDBLOCK && errno != EINTR) refuse_writing(reason());
        if (std::chrono::steady_clock::now() > deadline) {
            throw Error(ErrorCode::kUnavailable, "session_file_busy",
                        "Another agentdb9 command renews the login in " + path_.string() +
                            " and does not end. Try again in a moment.");
        }
        std::this_thread::sleep_for(kTryAgain);
    }
    return file;
}

}  // namespace agentdb9::cli::client
