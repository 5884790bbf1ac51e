#include "auth/secrets.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "auth/jwt.hpp"
#include "base/crypto.hpp"
#include "base/error.hpp"

namespace agentdb9::auth {
namespace {

constexpr std::size_t kSecretBytes = 32;
constexpr std::size_t kMaxSecretBytes = 4096;

class Descriptor {
  public:
    explicit Descriptor(int number) : number_(number) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (number_ >= 0) ::close(number_);
    }
    int number() const { return number_; }
    bool is_open() const { return number_ >= 0; }

  private:
    int number_;
};

[[noreturn]] void throw_unreadable(const std::filesystem::path& file, std::string_view what) {
    const std::string reason = std::strerror(errno);
    throw base::Error(base::ErrorCode::kUnavailable, "secret_unreadable",
                      "The secret " + file.string() + " " + std::string(what) + ": " + reason + ".");
}

void refuse_readable_by_others(const std::filesystem::path& file, const struct ::stat& facts) {
    if (!S_ISREG(facts.st_mode)) {
        throw base::Error(base::ErrorCode::kInvalid, "secret_malformed",
                          "The secret " + file.string() + " is not a file.");
    }
    if ((facts.st_mode & 077) == 0) return;
    throw base::Error(base::ErrorCode::kForbidden, "secret_readable_by_others",
                      "The secret " + file.string() + " can be used by others than its owner (mode 0" +
                          std::string(1, static_cast<char>('0' + ((facts.st_mode >> 6) & 7))) +
                          std::string(1, static_cast<char>('0' + ((facts.st_mode >> 3) & 7))) +
                          std::string(1, static_cast<char>('0' + (facts.st_mode & 7))) +
                          "): run 'chmod 600 " + file.string() + "'.");
}

std::string read_secret(const std::filesystem::path& file, const Descriptor& descriptor) {
    struct ::stat facts{};
    if (::fstat(descriptor.number(), &facts) != 0) throw_unreadable(file, "cannot be looked at");
    refuse_readable_by_others(file, facts);
    std::array<char, kMaxSecretBytes> buffer{};
    const auto count = ::read(descriptor.number(), buffer.data(), buffer.size());
    if (count < 0) throw_unreadable(file, "cannot be read");
    std::string secret(buffer.data(), static_cast<std::size_t>(count));
    while (secret.ends_with('\n') || secret.ends_with('\r'))
        secret.pop_back();
    if (secret.size() < kMinKeyBytes) {
        throw base::Error(
            base::ErrorCode::kInvalid, "secret_malformed",
            "The secret " + file.string() +
                " has fewer than 32 bytes: remove the file to have a new one made (everyone has to "
                "log in again then).");
    }
    return secret;
}

// Under another name first, so that a crash in between leaves no half secret.
void make_secret(const std::filesystem::path& file) {
    auto draft = file;
    draft += "." + base::random_token(6);
    const std::string text = base::random_token(kSecretBytes) + "\n";
    const Descriptor descriptor(::open(draft.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (!descriptor.is_open()) throw_unreadable(file, "cannot be made");
    const bool written =
        ::write(descriptor.number(), text.data(), text.size()) == static_cast<ssize_t>(text.size()) &&
        ::fsync(descriptor.number()) == 0;
    // link(2) does not replace what another process made meanwhile; then that one counts.
    const bool placed = written && (::link(draft.c_str(), file.c_str()) == 0 || errno == EEXIST);
    const int reason = errno;
    ::unlink(draft.c_str());
    errno = reason;
    if (!placed) throw_unreadable(file, "cannot be written");
    const Descriptor directory(::open(file.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (directory.is_open()) ::fsync(directory.number());
}

}  // namespace

std::optional<std::string> load_secret(const std::filesystem::path& file) {
    const Descriptor existing(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (existing.is_open()) return read_secret(file, existing);
    if (errno != ENOENT) throw_unreadable(file, "cannot be opened");
    return std::nullopt;
}

std::string load_or_make_secret(const std::filesystem::path& file) {
    if (auto existing = load_secret(file)) return std::move(*existing);
    make_secret(file);
    const Descriptor made(::open(file.c_str(), O_RDONLY | O_CLOEXEC));
    if (!made.is_open()) throw_unreadable(file, "cannot be opened");
    return read_secret(file, made);
}

}  // namespace agentdb9::auth
