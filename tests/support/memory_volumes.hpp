// Volumes' files as tar streams kept in memory, with whatever goes wrong on the way. One thread.
#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "base/error.hpp"
#include "runtime/volume_files.hpp"

namespace agentdb9::test {

class MemoryVolumes final : public runtime::VolumeFiles {
  public:
    std::map<std::string, std::string> contents;  // by volume
    std::optional<base::Error> read_failure;      // after half of the stream
    std::optional<base::Error> write_failure;     // before anything is read
    std::function<Task<>()> meanwhile;            // after a piece of a stream that is read

    Task<> read_volume(std::string volume, std::string, base::ByteSink& sink) override {
        const auto found = contents.find(volume);
        if (found == contents.end())
            throw base::Error(base::ErrorCode::kNotFound, "volume_missing", "The volume is gone.");
        const auto bytes = found->second;
        const auto half = bytes.size() / 2;
        co_await sink.write(std::span(bytes).first(half));
        if (meanwhile) co_await meanwhile();
        if (read_failure) throw *read_failure;
        co_await sink.write(std::span(bytes).subspan(half));
    }

    Task<> write_volume(std::string volume, base::ByteSource& source) override {
        if (write_failure) throw *write_failure;
        std::string bytes;
        std::string piece(4096, '\0');
        while (const auto got = co_await source.read(piece))
            bytes.append(piece, 0, got);
        contents[volume] = std::move(bytes);
    }

    std::vector<runtime::Leftover> left_behind;
    int looks = 0;  // for these

    Task<> remove_leftovers(std::chrono::seconds) override {
        left_behind.clear();
        co_return;
    }
    Task<std::vector<runtime::Leftover>> leftovers(std::chrono::seconds) override {
        ++looks;
        co_return left_behind;
    }
};

}  // namespace agentdb9::test
