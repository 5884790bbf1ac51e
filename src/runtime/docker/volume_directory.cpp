#include "runtime/docker/volume_directory.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <array>
#include <fstream>

namespace agentdb9::runtime::docker {

using base::Descriptor;

namespace {

constexpr std::string_view kDirectoryName = "/_data";
constexpr std::size_t kSmall = 256;

bool has_capability_to_read() {
    __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
    std::array<__user_cap_data_struct, _LINUX_CAPABILITY_U32S_3> data{};
    if (::syscall(SYS_capget, &header, data.data()) != 0) return false;
    constexpr std::uint32_t kWanted = (1U << CAP_DAC_READ_SEARCH) | (1U << CAP_DAC_OVERRIDE);
    return (data[0].effective & kWanted) != 0;
}

bool sees_true_owners() {
    std::ifstream map("/proc/self/uid_map");
    std::uint64_t inside = 1, outside = 1, count = 0;
    map >> inside >> outside >> count;
    return map && inside == 0 && outside == 0 && count == 0xffff'ffffU;
}

Descriptor open_below(int directory, const std::string& path, int flags) {
    open_how how{};
    how.flags = static_cast<std::uint64_t>(flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS;
    return Descriptor(static_cast<int>(::syscall(SYS_openat2, directory, path.c_str(), &how, sizeof how)));
}

}  // namespace

bool reads_every_file() {
    return has_capability_to_read() && sees_true_owners();
}

std::optional<std::string> parent_of_volume(const std::string& mountpoint, const std::string& name) {
    const auto end = "/" + name + std::string(kDirectoryName);
    if (name.empty() || name.find('/') != std::string::npos) return std::nullopt;
    if (!mountpoint.starts_with('/') || !mountpoint.ends_with(end) || mountpoint.size() == end.size())
        return std::nullopt;
    return mountpoint.substr(0, mountpoint.size() - end.size());
}

bool is_directory(const std::string& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

Descriptor open_volume(const std::string& parent, const std::string& name) {
    const Descriptor above(::open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!above) return {};
    return open_below(above.get(), name + std::string(kDirectoryName), O_DIRECTORY);
}

std::string read_small_file(const Descriptor& directory, const std::string& name) {
    const auto file = directory ? open_below(directory.get(), name, 0) : Descriptor();
    if (!file) return {};
    std::array<char, kSmall> text{};
    const auto got = ::read(file.get(), text.data(), text.size());
    return got > 0 ? std::string(text.data(), static_cast<std::size_t>(got)) : std::string();
}

}  // namespace agentdb9::runtime::docker
