#include "runtime/docker/registry_logins.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>

#include "base/crypto.hpp"
#include "runtime/docker/objects.hpp"

namespace agentdb9::runtime::docker {
namespace {

constexpr std::string_view kHub = "docker.io";
constexpr std::size_t kLargestFile = 1 << 20;

// How a registry is named in an image, of the many ways in which clients have written it down:
// "https://index.docker.io/v1/", "registry.example", "https://registry.example/v2/".
std::string_view host_of(std::string_view key) {
    for (const std::string_view scheme : {"https://", "http://"})
        if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
    key = key.substr(0, key.find('/'));
    if (key == "index.docker.io" || key == "registry-1.docker.io") return kHub;
    return key;
}

// RFC 4648 section 5 with padding: the engine takes no other.
std::string padded_base64url(const std::string& text) {
    auto encoded = base::base64_encode(text);
    for (auto& c : encoded) {
        if (c == '+') c = '-';
        if (c == '/') c = '_';
    }
    return encoded;
}

RegistryLogin from_entry(const json::object& entry, std::string_view key) {
    json::object auth{{"serveraddress", key}};
    if (auto token = text_at(entry, "identitytoken"); !token.empty()) {
        auth["identitytoken"] = token;
    } else if (const auto pair = base::base64_decode(text_at(entry, "auth"));
               pair && pair->find(':') != std::string::npos) {
        const auto colon = pair->find(':');
        auth["username"] = pair->substr(0, colon);
        // Some clients end it with a zero byte.
        auth["password"] = std::string(pair->substr(colon + 1).c_str());
    } else {
        return {.header = {}, .trouble = "the file's entry for '" + std::string(key) + "' cannot be read"};
    }
    return {.header = padded_base64url(json::serialize(auth)), .trouble = {}};
}

// The program that keeps the registry's login, where one does.
std::string helper_of(const json::object& logins, std::string_view registry) {
    if (const auto* helpers = object_at(logins, "credHelpers")) {
        for (const auto& [key, value] : *helpers)
            if (host_of(key) == registry && value.is_string()) return std::string(value.get_string());
    }
    return text_at(logins, "credsStore");
}

}  // namespace

std::string registry_of(std::string_view image) {
    const auto slash = image.find('/');
    if (slash == std::string_view::npos) return std::string(kHub);
    const auto first = image.substr(0, slash);
    // Without any of these it is a name at the Hub ("distribution/reference", which the engine reads names
    // by).
    if (first != "localhost" && first.find_first_of(".:") == std::string_view::npos) return std::string(kHub);
    return std::string(host_of(first));
}

std::optional<std::filesystem::path> default_logins_file() {
    if (const char* folder = std::getenv("DOCKER_CONFIG"); folder != nullptr && *folder != '\0')
        return std::filesystem::path(folder) / "config.json";
    if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0')
        return std::filesystem::path(home) / ".docker/config.json";
    return std::nullopt;
}

RegistryLogin login_in(const json::object& logins, std::string_view registry) {
    const auto helper = helper_of(logins, registry);
    if (const auto* entries = object_at(logins, "auths")) {
        for (const auto& [key, value] : *entries) {
            if (host_of(key) != registry || !value.is_object()) continue;
            // A helper leaves an empty entry behind.
            if (value.get_object().empty() && !helper.empty()) break;
            return from_entry(value.get_object(), key);
        }
    }
    if (helper.empty()) return {};
    return {.header = {},
            .trouble = "the file leaves logins to the program 'docker-credential-" + helper +
                       "', which is not asked"};
}

RegistryLogin read_login(const std::filesystem::path& file, std::string_view image) {
    errno = 0;
    std::ifstream stream(file, std::ios::binary);
    if (!stream) {
        if (errno == ENOENT || errno == ENOTDIR) return {};
        return {.header = {}, .trouble = std::string("the file cannot be read: ") + std::strerror(errno)};
    }
    std::string text;
    for (char c = 0; text.size() <= kLargestFile && stream.get(c);)
        text += c;
    boost::system::error_code ec;
    const auto parsed = json::parse(text, ec);
    if (ec || !parsed.is_object()) return {.header = {}, .trouble = "the file is not JSON"};
    return login_in(parsed.get_object(), registry_of(image));
}

}  // namespace agentdb9::runtime::docker
