#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include "auth/secrets.hpp"
#include "base/error.hpp"
#include "cli/doctor_checks.hpp"

namespace agentdb9::cli {
namespace {

namespace fs = std::filesystem;

constexpr std::uint64_t kMiB = 1024 * 1024;
constexpr std::uint64_t kLittleSpace = 1024 * kMiB;
constexpr std::uint64_t kNoSpace = 100 * kMiB;
constexpr std::uint64_t kServerMemory = 128 * kMiB;

fs::path nearest_existing(fs::path path) {
    std::error_code ec;
    path = fs::absolute(path, ec);
    while (!fs::exists(path, ec) && path.has_parent_path() && path != path.parent_path())
        path = path.parent_path();
    return path;
}

std::string mode_text(mode_t mode) {
    std::string text = "0";
    for (const unsigned shift : {6U, 3U, 0U})
        text += static_cast<char>('0' + ((mode >> shift) & 7U));
    return text;
}

bool comes_from_file(const config::Loaded& loaded, std::string_view key) {
    const auto name = loaded.file ? loaded.file->filename().string() : std::string();
    return std::ranges::any_of(loaded.shown, [&](const config::ShownSetting& each) {
        return each.key == key && !name.empty() && each.source.starts_with(name + ":");
    });
}

void check_configuration_file(const config::Loaded& loaded, Findings& findings) {
    struct stat facts{};
    const bool holds_secrets =
        std::ranges::any_of(std::array{"auth.jwtSecret", "auth.adminPassword", "database.url"},
                            [&](const char* key) { return comes_from_file(loaded, key); });
    if (!holds_secrets || ::stat(loaded.file->c_str(), &facts) != 0 || (facts.st_mode & 077U) == 0) return;
    findings.warning("secrets",
                     "The configuration file holds a secret, and others than its owner may read it (mode " +
                         mode_text(facts.st_mode) + ").",
                     "Run: chmod 600 " + loaded.file->string());
}

}  // namespace

std::string size_text(std::uint64_t bytes) {
    if (bytes < 1024 * kMiB) return std::to_string(bytes / kMiB) + " MiB";
    const auto tenths = bytes * 10 / (1024 * kMiB);
    return std::to_string(tenths / 10) + "." + std::to_string(tenths % 10) + " GiB";
}

void check_data_directory(const config::Configuration& configuration, Findings& findings) {
    const std::string check = "data directory";
    const auto path = configuration.data_dir.string();
    struct stat facts{};
    if (::stat(path.c_str(), &facts) != 0) {
        const int error = errno;
        const auto parent = nearest_existing(configuration.data_dir);
        if (error != ENOENT) {
            findings.problem(check, path + " cannot be looked at: " + std::strerror(error) + ".",
                             "Run this as the user who runs the server, or name another with --data-dir.");
        } else if (::access(parent.c_str(), W_OK | X_OK) != 0) {
            findings.problem(check, path + " is not there, and cannot be made below " + parent.string() + ".",
                             "Make it for the user who runs the server, or name another with --data-dir.");
        } else {
            findings.ok(check, path + " is not there yet; the first start makes it.");
        }
        return;
    }
    if (!S_ISDIR(facts.st_mode)) {
        findings.problem(check, path + " is not a directory.", "Name another with --data-dir.");
    } else if (::access(path.c_str(), R_OK | W_OK | X_OK) != 0) {
        findings.problem(check, path + " may not be used by this user.",
                         "Run this as the user who runs the server.");
    } else if ((facts.st_mode & 022U) != 0) {
        findings.problem(check, path + " may be changed by others (mode " + mode_text(facts.st_mode) + ").",
                         "Run: chmod 700 " + path);
    } else if (facts.st_uid != ::geteuid()) {
        findings.warning(check, path + " belongs to another user (uid " + std::to_string(facts.st_uid) + ").",
                         "Run the server and its commands as that user.");
    } else if ((facts.st_mode & 077U) != 0) {
        findings.warning(check, path + " may be listed by others (mode " + mode_text(facts.st_mode) + ").",
                         "Run: chmod 700 " + path);
    } else {
        findings.ok(check, path + " is its owner's alone.");
    }
}

void check_secrets(const config::Loaded& loaded, Findings& findings) {
    check_configuration_file(loaded, findings);
    if (loaded.configuration.auth.jwt_secret) {
        findings.ok("secrets", "The token secret comes from the configuration.");
        return;
    }
    const auto file = loaded.configuration.data_dir / "jwt.secret";
    try {
        const bool there = auth::load_secret(file).has_value();
        findings.ok("secrets", there ? "The token secret is its owner's alone."
                                     : "There is no token secret yet; the first start makes it.");
    } catch (const base::Error& error) {
        findings.problem("secrets", error.message(), "The server does not start before that is mended.");
    }
}

void check_disk(const std::string& place, const fs::path& path, Findings& findings) {
    const auto where = nearest_existing(path);
    struct statvfs facts{};
    if (::statvfs(where.c_str(), &facts) != 0) return;
    const std::uint64_t free = std::uint64_t{facts.f_bavail} * facts.f_frsize;
    const std::uint64_t total = std::uint64_t{facts.f_blocks} * facts.f_frsize;
    const bool inodes_low = facts.f_files > 0 && facts.f_favail * 100 < facts.f_files;
    const auto told = place + " has " + size_text(free) + " of " + size_text(total) + " left.";
    if (free < kNoSpace) {
        findings.problem("disk", told, "Make room: the server and the workspaces cannot write soon.");
    } else if (free < kLittleSpace || free * 20 < total) {
        findings.warning("disk", told, "Make room soon; 'agentdb9 volumes list' shows what the trash holds.");
    } else if (inodes_low) {
        findings.warning("disk", place + " has hardly any inodes left.",
                         "Remove small files that nobody needs.");
    } else {
        findings.ok("disk", told);
    }
}

void check_memory(const config::Configuration& configuration, Findings& findings) {
    std::ifstream file("/proc/meminfo");
    std::string name;
    std::string unit;
    std::uint64_t kilobytes = 0;
    std::uint64_t available = 0;
    while (file >> name >> kilobytes && std::getline(file, unit))
        if (name == "MemAvailable:") available = kilobytes * 1024;
    if (available == 0) return;
    std::int64_t largest_mb = 0;
    for (const auto& type : configuration.workspace_types)
        largest_mb = std::max(largest_mb, type.resource_limits.memory_mb);
    const auto largest = static_cast<std::uint64_t>(largest_mb) * kMiB;
    const auto told = size_text(available) + " of memory are free; the largest workspace type may take " +
                      size_text(largest) + ".";
    if (available < kServerMemory) {
        findings.problem("memory", told, "Stop something, or give the machine more memory.");
    } else if (available < largest) {
        findings.warning("memory", told,
                         "Stop workspaces, or lower resourceLimits.memory of the types that need less.");
    } else {
        findings.ok("memory", told);
    }
}

}  // namespace agentdb9::cli
