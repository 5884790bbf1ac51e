#include "proxy/access_log.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>

#include "base/log_lines.hpp"

namespace agentdb9::proxy {
namespace {

// Nobody is woken for a record: the thread looks by itself, often enough that a queue of the usual size has
// room for many times what a worker can answer.
constexpr std::chrono::milliseconds kLook{50};
// As much is written at once.
constexpr std::size_t kPiece = 64UL * 1024;

void append_text(std::string& out, std::string_view name, std::string_view text, std::size_t longest) {
    if (text.empty()) return;
    out.append(",\"").append(name).append("\":\"");
    const bool cut = text.size() > longest;
    for (const char c : text.substr(0, longest)) {
        if (c == '"' || c == '\\') out += '\\';
        out += c < 0x20 || c > 0x7e ? '?' : c;
    }
    out += cut ? "...\"" : "\"";
}

void append_number(std::string& out, std::string_view name, std::uint64_t number) {
    std::array<char, 24> digits{};
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(",\"").append(name).append("\":").append(digits.data(), end);
}

// Milliseconds with three decimals.
void append_duration(std::string& out, std::string_view name, std::int64_t microseconds) {
    if (microseconds < 0) return;
    const auto number = static_cast<std::uint64_t>(microseconds);
    append_number(out, name, number / 1'000);
    const auto rest = number % 1'000;
    out += '.';
    for (const std::uint64_t place : {100U, 10U, 1U})
        out += static_cast<char>('0' + rest / place % 10);
}

}  // namespace

void append_access_line(const AccessRecord& record, std::string& out) {
    out.append("{\"time\":\"").append(base::format_time(record.time));
    out.append("\",\"level\":\"info\",\"event\":\"access\"");
    append_text(out, "requestId", record.id, kLongestText);
    append_text(out, "kind", kRequestKinds[static_cast<std::size_t>(record.kind)], kLongestText);
    append_text(out, "method", record.method, kLongestText);
    append_text(out, "path", record.path, kLongestPath);
    if (record.kind != RequestKind::kInvalid)
        append_text(out, "protocol", record.minor_version == 0 ? "HTTP/1.0" : "HTTP/1.1", kLongestText);
    append_text(out, "upgrade", record.upgrade, kLongestText);
    if (record.status != 0) append_number(out, "status", static_cast<std::uint64_t>(record.status));
    append_text(out, "reason", record.reason, kLongestText);
    if (record.aborted) out.append(",\"aborted\":true");
    append_number(out, "bytesIn", record.bytes_in);
    append_number(out, "bytesOut", record.bytes_out);
    append_duration(out, "durationMs", record.duration_us);
    append_duration(out, "connectMs", record.connect_us);
    append_duration(out, "firstByteMs", record.first_byte_us);
    append_text(out, "userId", record.user, kLongestText);
    append_text(out, "workspaceId", record.workspace, kLongestText);
    if (record.port != 0) append_number(out, "port", static_cast<std::uint64_t>(record.port));
    append_text(out, "address", record.address, kLongestText);
    out.append("}\n");
}

AccessLane::AccessLane(AccessMode mode, std::uint64_t sample, std::size_t queue)
    : mode_(mode),
      sample_(std::max<std::uint64_t>(sample, 1)),
      places_(std::bit_ceil(std::max<std::size_t>(queue, 1))) {}

bool AccessLane::wants(int status) {
    return mode_ == AccessMode::kAll || status >= 500 || seen_++ % sample_ == 0;
}

AccessLog::AccessLog(AccessOptions options, std::size_t workers) : options_(std::move(options)) {
    if (options_.mode == AccessMode::kOff) return;
    if (!options_.write) options_.write = [](std::string_view lines) { base::log::lines(lines); };
    for (std::size_t i = 0; i < workers; ++i)
        lanes_.push_back(std::make_unique<AccessLane>(options_.mode, options_.sample, options_.queue));
    thread_ = std::thread([this] { run(); });
}

AccessLog::~AccessLog() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    woken_.notify_all();
    if (thread_.joinable()) thread_.join();
}

void AccessLog::run() {
    std::unique_lock lock(mutex_);
    while (!woken_.wait_for(lock, kLook, [this] { return ending_; })) {
        lock.unlock();
        write_all();
        lock.lock();
    }
    lock.unlock();
    write_all();
}

void AccessLog::write_all() {
    for (auto& lane : lanes_) {
        lane->take([this](const AccessRecord& record) {
            append_access_line(record, lines_);
            if (lines_.size() < kPiece) return;
            options_.write(lines_);
            lines_.clear();
        });
    }
    if (lines_.empty()) return;
    options_.write(lines_);
    lines_.clear();
}

}  // namespace agentdb9::proxy
