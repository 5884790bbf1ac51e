#include "archive/entry_rules.hpp"

#include <optional>

namespace agentdb9::archive {

namespace {

constexpr std::size_t kLongestShown = 100;
constexpr std::size_t kLongestPath = 4096;  // PATH_MAX of Linux

// Names come from anywhere and end up in sentences.
std::string shown(std::string_view path) {
    std::string text;
    for (const char c : path.substr(0, kLongestShown))
        text += static_cast<unsigned char>(c) < 0x20 || c == 0x7f ? '?' : c;
    return "'" + text + (path.size() > kLongestShown ? "…'" : "'");
}

// Without empty and "." components; absent when it leads out of the root.
std::optional<std::string> below_root(std::string_view path) {
    if (path.starts_with('/')) return std::nullopt;
    std::string clean;
    while (!path.empty()) {
        const auto slash = path.find('/');
        const auto part = path.substr(0, slash);
        path.remove_prefix(slash == std::string_view::npos ? path.size() : slash + 1);
        if (part.empty() || part == ".") continue;
        if (part == "..") return std::nullopt;
        if (!clean.empty()) clean += '/';
        clean += part;
    }
    return clean;
}

}  // namespace

std::string_view to_text(EntryType type) {
    switch (type) {
        case EntryType::kFile:
            return "file";
        case EntryType::kDirectory:
            return "directory";
        case EntryType::kSymbolicLink:
            return "link";
        case EntryType::kHardLink:
            return "hardlink";
        case EntryType::kFifo:
            return "fifo";
    }
    return "file";
}

base::Error invalid_archive(const std::string& what) {
    return base::Error(base::ErrorCode::kInvalid, "archive_invalid",
                       "The archive cannot be used: " + what + ". Nothing was changed; use another one.");
}

void EntryRules::check_parents(std::string_view path) const {
    if (links_.empty()) return;
    for (auto slash = path.find('/'); slash != std::string_view::npos; slash = path.find('/', slash + 1)) {
        if (links_.contains(std::string(path.substr(0, slash))))
            throw invalid_archive("its entry " + shown(path) + " would be written through a link");
    }
}

void EntryRules::accept(Entry& entry) {
    if (entry.path.size() > kLongestPath)
        throw invalid_archive("the path " + shown(entry.path) + " is too long");
    auto path = below_root(entry.path);
    if (!path) throw invalid_archive("its entry " + shown(entry.path) + " leads out of the project");
    if (path->empty() && entry.type != EntryType::kDirectory)
        throw invalid_archive("it has an entry without a name");
    entry.path = std::move(*path);
    check_parents(entry.path);
    if (entry.type != EntryType::kSymbolicLink && links_.contains(entry.path))
        throw invalid_archive("its entry " + shown(entry.path) + " takes the place of a link");

    switch (entry.type) {
        case EntryType::kFile:
            ++contents_.files;
            contents_.bytes += entry.size;
            break;
        case EntryType::kDirectory:
            ++contents_.directories;
            break;
        case EntryType::kSymbolicLink:
            ++contents_.links;
            links_.insert(entry.path);
            break;
        case EntryType::kHardLink: {
            auto target = below_root(entry.link_target);
            if (!target || target->empty()) {
                throw invalid_archive("its hard link " + shown(entry.path) +
                                      " leads out of the project, to " + shown(entry.link_target));
            }
            entry.link_target = std::move(*target);
            check_parents(entry.link_target);
            if (links_.contains(entry.link_target)) links_.insert(entry.path);
            ++contents_.files;
            break;
        }
        case EntryType::kFifo:
            break;
    }
    if (++entries_ > limits_.entries || contents_.bytes > limits_.bytes || entry.size > limits_.bytes) {
        throw base::Error(base::ErrorCode::kTooLarge, "archive_too_large",
                          "The archive holds more than may be unpacked (" + std::to_string(limits_.bytes) +
                              " bytes in " + std::to_string(limits_.entries) +
                              " entries); nothing was changed.");
    }
}

}  // namespace agentdb9::archive
