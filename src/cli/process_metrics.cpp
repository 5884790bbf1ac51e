#include "cli/process_metrics.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

namespace agentdb9::cli {
namespace {

// Of proc_pid_stat(5), behind the name, which may hold anything: fields 3 on.
std::vector<std::string> stat_fields() {
    std::ifstream file("/proc/self/stat");
    std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
    std::istringstream rest(text.substr(std::min(text.rfind(')') + 1, text.size())));
    return {std::istream_iterator<std::string>(rest), std::istream_iterator<std::string>()};
}

double number(const std::vector<std::string>& fields, std::size_t field) {
    const auto index = field - 3;
    return index < fields.size() ? std::strtod(fields[index].c_str(), nullptr) : 0;
}

double boot_time() {
    std::ifstream file("/proc/stat");
    for (std::string line; std::getline(file, line);)
        if (line.starts_with("btime ")) return std::strtod(line.c_str() + 6, nullptr);
    return 0;
}

}  // namespace

void add_process_metrics(MetricList& list) {
    const auto fields = stat_fields();
    const auto ticks = static_cast<double>(sysconf(_SC_CLK_TCK));
    list.total("process_cpu_seconds_total", "Processor time of the server.",
               (number(fields, 14) + number(fields, 15)) / ticks);
    list.gauge("process_resident_memory_bytes", "Memory of the server.",
               number(fields, 24) * static_cast<double>(sysconf(_SC_PAGESIZE)));
    list.gauge("process_start_time_seconds", "When the server was started, since 1970.",
               boot_time() + number(fields, 22) / ticks);
    std::error_code error;
    double open = 0;
    for (std::filesystem::directory_iterator each("/proc/self/fd", error), end; !error && each != end;
         each.increment(error))
        ++open;
    list.gauge("process_open_fds", "Open descriptors.", open);
    rlimit most{};
    if (getrlimit(RLIMIT_NOFILE, &most) == 0)
        list.gauge("process_max_fds", "How many may be.", static_cast<double>(most.rlim_cur));
}

}  // namespace agentdb9::cli
