// cp: files of this machine into a running workspace, and out of it.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <array>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <iostream>
#include <thread>

#include "cli/client/commands.hpp"
#include "cli/client/descriptors.hpp"
#include "cli/client/objects.hpp"
#include "cli/client/operation.hpp"
#include "cli/client/signals_held.hpp"
#include "cli/client/text.hpp"
#include "cli/client/tree_copy.hpp"
#include "runtime/docker/engine_client.hpp"

namespace agentdb9::cli::client {
namespace {

using base::Descriptor;
using base::Error;
using base::ErrorCode;
using runtime::docker::percent_encode;
using SteadyClock = std::chrono::steady_clock;

constexpr std::chrono::milliseconds kShowEvery{250};
constexpr std::size_t kPiece = std::size_t{256} << 10;

// "WORKSPACE:PATH"; anything with a slash before its colon is of this machine, as scp(1) has it.
struct Remote {
    std::string workspace;
    std::string path;
};
std::optional<Remote> remote_of(const std::string& word) {
    const auto colon = word.find(':');
    if (colon == std::string::npos || colon == 0 || word.find('/') < colon) return std::nullopt;
    return Remote{word.substr(0, colon), word.substr(colon + 1)};
}

Error usage(const std::string& sentence) {
    return Error(ErrorCode::kInvalid, "invalid_arguments", sentence);
}

// A thread of its own at one end of a pipe, and the connection at the other.
class Beside {
  public:
    // `work` gets its end, and has `outwards` to fill it.
    Beside(bool outwards, std::function<void(int)> work) {
        std::array<int, 2> ends{};
        if (::pipe2(ends.data(), O_CLOEXEC) != 0)
            throw Error(ErrorCode::kInternal, "no_pipe",
                        "This machine has no room for another pipe; try again.");
        Descriptor theirs(ends[outwards ? 1 : 0]);
        ours_ = Descriptor(ends[outwards ? 0 : 1]);
        // The other thread may renew the session meanwhile, which no signal may break off.
        const SignalsHeld held;
        thread_ = std::thread([this, end = std::move(theirs), work = std::move(work)]() mutable {
            archive::use_utf8_names();
            try {
                work(end.get());
            } catch (...) {
                failure_ = std::current_exception();
            }
            failed_ = failure_ != nullptr;
            end = Descriptor();
        });
    }
    Beside(const Beside&) = delete;
    Beside& operator=(const Beside&) = delete;
    ~Beside() { join(); }

    int end() const { return ours_.get(); }
    // Once the other end is closed.
    bool failed() const { return failed_; }
    std::exception_ptr join() {
        ours_ = Descriptor();
        if (thread_.joinable()) thread_.join();
        return failure_;
    }

  private:
    Descriptor ours_;
    std::exception_ptr failure_;
    std::atomic<bool> failed_ = false;
    std::thread thread_;
};

std::size_t read_on(int fd, std::span<char> room) {
    const auto got = read_some(fd, room);
    if (!got) throw Error(ErrorCode::kInternal, "not_readable", "What is to be copied could not be read on.");
    return *got;
}

// How much has passed, four times a second, where somebody can see it.
class Meter {
  public:
    explicit Meter(std::string title) : progress_(std::move(title)) {}
    void passed(std::size_t bytes) {
        bytes_ += bytes;
        const auto now = SteadyClock::now();
        if (!progress_.live() || now - shown_at_ < kShowEvery) return;
        shown_at_ = now;
        const auto seconds = std::chrono::floor<std::chrono::seconds>(now - began_at_).count();
        progress_.show(bytes_text(static_cast<double>(bytes_)), std::nullopt, static_cast<int>(seconds));
    }
    void clear() { progress_.clear(); }

  private:
    Progress progress_;
    std::uint64_t bytes_ = 0;
    SteadyClock::time_point began_at_ = SteadyClock::now();
    SteadyClock::time_point shown_at_ = began_at_;
};

std::string files_path(const json::object& workspace, const std::string& path) {
    return "/api/workspaces/" + text_in(workspace, "id") + "/files?path=" + percent_encode(path);
}

// Standard input with a size: as it is where that is a file, else written aside first.
std::pair<Descriptor, std::uint64_t> open_input() {
    struct stat status{};
    if (::fstat(STDIN_FILENO, &status) == 0 && S_ISREG(status.st_mode)) {
        const auto at = std::max<off_t>(::lseek(STDIN_FILENO, 0, SEEK_CUR), 0);
        return {Descriptor(::dup(STDIN_FILENO)),
                static_cast<std::uint64_t>(std::max<off_t>(status.st_size - at, 0))};
    }
    auto name = (std::filesystem::temp_directory_path() / "agentdb9-cp-XXXXXX").string();
    Descriptor aside(::mkostemp(name.data(), O_CLOEXEC));
    if (aside) ::unlink(name.c_str());
    std::vector<char> piece(kPiece);
    std::uint64_t size = 0;
    while (const auto got = aside ? read_on(STDIN_FILENO, piece) : 0) {
        if (!write_all(aside.get(), {piece.data(), got})) aside = Descriptor();
        size += got;
    }
    if (!aside || ::lseek(aside.get(), 0, SEEK_SET) != 0) {
        throw Error(ErrorCode::kInternal, "no_room",
                    "Standard input could not be written aside; make room in " +
                        std::filesystem::temp_directory_path().string() + ", or name another by TMPDIR.");
    }
    return {std::move(aside), size};
}

void tell(const Context& context, const Copied& copied, const std::string& where) {
    for (const auto& each : copied.left_out)
        std::cerr << "warning: left out, for it is no file, directory or link: " << printable(each) << "\n";
    if (context.json) return print_json(json::object{{"files", copied.files}, {"bytes", copied.bytes}});
    std::cout << "Copied " << copied.files << (copied.files == 1 ? " file, " : " files, ")
              << bytes_text(static_cast<double>(copied.bytes)) << ", to " << printable(where) << ".\n";
}

int copy_in(const Context& context, const std::vector<std::string>& sources, const Remote& to) {
    const bool from_input = std::ranges::find(sources, "-") != sources.end();
    if (from_input && sources.size() > 1) throw usage("Standard input ('-') is copied alone.");
    // What cannot be read is told before anything is sent.
    for (const auto& each : sources) {
        struct stat status{};
        if (!from_input && ::stat(each.c_str(), &status) != 0) {
            throw Error(ErrorCode::kNotFound, "not_readable",
                        "'" + printable(each) + "' cannot be read: " + std::strerror(errno) + ".");
        }
    }
    auto api = open_api(context);
    const auto workspace = find_workspace(api, to.workspace);
    Descriptor input;
    std::uint64_t input_size = 0;
    if (from_input) std::tie(input, input_size) = open_input();
    // Several need a directory.
    const auto path =
        (to.path.empty() ? "." : to.path) + (sources.size() > 1 && !to.path.ends_with('/') ? "/" : "");
    const Interruption interruption;
    api.set_cancelled([] { return Interruption::happened(); });
    Meter meter("Copying to " + printable(to.workspace));
    Copied copied;
    Beside packer(true, [&](int out) {
        const auto sink = [out](std::span<const char> bytes) {
            if (!write_all(out, {bytes.data(), bytes.size()}))
                throw Error(ErrorCode::kUnavailable, "upload_ended", "The server takes no more of it.");
        };
        copied = from_input ? pack_open_file(input.get(), input_size, "stdin", sink) : pack(sources, sink);
    });
    std::exception_ptr refused;
    try {
        api.upload(files_path(workspace, path), [&](std::span<char> room) -> std::optional<std::size_t> {
            // libcurl is no place for exceptions.
            const auto got = read_some(packer.end(), room);
            meter.passed(got.value_or(0));
            // The end of a stream that failed is none.
            return got == 0U && packer.failed() ? std::nullopt : got;
        });
    } catch (const Error&) {
        refused = std::current_exception();
    }
    meter.clear();
    const bool failed_here = packer.failed();
    const auto failure = packer.join();
    if (Interruption::happened()) {
        std::cerr << "agentdb9: the copy was broken off; what had not come whole is not there.\n";
        return kExitInterrupted;
    }
    if (refused && !failed_here) std::rethrow_exception(refused);
    if (failure) std::rethrow_exception(failure);
    tell(context, copied, "'" + text_in(workspace, "name") + "'");
    return kExitOk;
}

struct Target {
    std::string directory;
    std::string name;  // empty: as it is called in the workspace
};

Target target_of(const std::string& word, bool several) {
    std::error_code ec;
    if (std::filesystem::is_directory(word, ec)) return {word, {}};
    if (several || word.ends_with('/'))
        throw usage("'" + printable(word) + "' is no directory; make it first, or leave the slash out.");
    const auto slash = word.rfind('/');
    if (slash == std::string::npos) return {".", word};
    return {word.substr(0, slash + 1), word.substr(slash + 1)};
}

// The last part of a path in the workspace.
std::string last_part(std::string path) {
    while (path.ends_with('/'))
        path.pop_back();
    const auto name = path.substr(path.rfind('/') + 1);
    return name.empty() || name == "." || name == ".." || name == "~" ? "workspace" : name;
}

// Once a success has begun the server can only break off.
Error not_whole(const json::object& workspace, const Remote& from) {
    return Error(
        ErrorCode::kUnavailable, "copy_broken",
        "The copy ended before it was whole: the connection broke off, the workspace was stopped, or "
        "something of it may not be read there, which this tells: agentdb9 exec " +
            name_or_id(workspace) + " -- tar -cf /dev/null " +
            shell_word(from.path.empty() ? "." : from.path) + ". Files that had come whole are there.");
}

Copied copy_one_out(Api& api, const json::object& workspace, const Remote& from, const std::string& to,
                    const Target& target, Meter& meter) {
    Copied copied;
    Beside unpacker(false, [&](int in) {
        archive::TarReader tar([in](std::span<char> room) { return read_on(in, room); }, false, {});
        copied = to == "-" ? unpack_to(tar, STDOUT_FILENO)
                           : unpack(tar, target.directory,
                                    target.name.empty() ? last_part(from.path) : target.name);
    });
    std::exception_ptr broken;
    bool any = false;
    try {
        api.download(files_path(workspace, from.path.empty() ? "." : from.path), [&](std::string_view piece) {
            any = true;
            meter.passed(piece.size());
            return write_all(unpacker.end(), piece);
        });
    } catch (const Error&) {
        broken = std::current_exception();
    }
    const auto failure = unpacker.join();
    if (broken && any) throw not_whole(workspace, from);
    if (broken) std::rethrow_exception(broken);
    if (failure) std::rethrow_exception(failure);
    return copied;
}

int copy_out(const Context& context, const std::vector<Remote>& sources, const std::string& to) {
    if (to == "-" && sources.size() > 1) throw usage("Only one file can go to standard output ('-').");
    if (to == "-" && context.json) throw usage("Standard output has the file: leave --json out.");
    const auto target = to == "-" ? Target() : target_of(to, sources.size() > 1);
    auto api = open_api(context);
    const Interruption interruption;
    api.set_cancelled([] { return Interruption::happened(); });
    Meter meter("Copying from " + printable(sources.front().workspace));
    Copied all;
    try {
        for (const auto& each : sources) {
            const auto workspace = find_workspace(api, each.workspace);
            auto copied = copy_one_out(api, workspace, each, to, target, meter);
            all.files += copied.files;
            all.bytes += copied.bytes;
            std::ranges::move(copied.left_out, std::back_inserter(all.left_out));
        }
    } catch (const Error&) {
        if (!Interruption::happened()) throw;
        meter.clear();
        std::cerr << "agentdb9: the copy was broken off; files that had come whole are there.\n";
        return kExitInterrupted;
    }
    meter.clear();
    if (to != "-") tell(context, all, "'" + to + "'");
    return kExitOk;
}

int copy(const Context& context, std::vector<std::string> words) {
    if (words.size() < 2)
        throw usage(
            "Name what is to be copied, and where to: agentdb9 cp FILE… WORKSPACE:PATH, or the other way.");
    const auto last = std::move(words.back());
    words.pop_back();
    std::vector<Remote> remote;
    for (const auto& word : words)
        if (auto each = remote_of(word)) remote.push_back(std::move(*each));
    const auto to = remote_of(last);
    // Whoever reads a pipe may be gone.
    std::signal(SIGPIPE, SIG_IGN);
    if (to && remote.empty()) return copy_in(context, words, *to);
    if (!to && remote.size() == words.size()) return copy_out(context, remote, last);
    throw usage(
        to ? "From one workspace into another files are copied by way of this machine, in two steps."
           : "Nothing of this names a workspace: WORKSPACE:PATH has to be the last, or all before the last.");
}

}  // namespace

void add_cp(CLI::App& program, Context& context, int& code) {
    auto words = std::make_shared<std::vector<std::string>>();
    auto* command = program.add_subcommand("cp", "Copy files into a running workspace, or out of it");
    command->footer(
        "A path in a workspace is relative to its project, /workspace; ~/ is its home, where it keeps one. "
        "Directories are copied with all that is in them, with modes and times; links stay links. Into a "
        "directory that is there things are put under their own names; otherwise the last part of the path "
        "is the "
        "new name. '-' is standard input or output, for one file. A file of this machine whose name has a "
        "colon is "
        "written ./NAME.\n\nEverything that goes into a workspace appears there when all of it has come. "
        "What comes "
        "from one gets its name file by file.\n\nExamples:\n"
        "  agentdb9 cp notes.txt editor:\n"
        "  agentdb9 cp src docs editor:work/\n"
        "  agentdb9 cp editor:results/plot.png .\n"
        "  agentdb9 cp editor:big.csv - | wc -l");
    command->add_option("FILE", *words, "What to copy, and at last where to; one side is WORKSPACE:PATH")
        ->required()
        ->type_name("");
    add_client_options(*command, context);
    command->callback([&context, &code, words] { code = copy(context, *words); });
}

}  // namespace agentdb9::cli::client
