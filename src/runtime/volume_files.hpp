// The files in volumes, as tar streams. What holds for Runtime's calls (runtime.hpp) holds here too, but for
// the deadline: a stream may take as long as it takes, while each piece of it has to come or go within a
// minute. Works whatever runs on the volume, or nothing.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "base/time.hpp"

namespace agentdb9::runtime {

struct Leftover {
    std::string name;  // as the engine has it
    std::optional<base::Time> made_at;
};

class VolumeFiles {
  public:
    virtual ~VolumeFiles() = default;

    // What lies at `path` below the volume's root ("": all of it) as an uncompressed tar stream. A
    // directory's entries are named "./…", itself "./"; a file's or link's entry has its own name. Links are
    // not followed. Not there, volume or path: kNotFound. What `sink` throws is thrown on.
    virtual Task<> read_volume(std::string volume, std::string path, base::ByteSink& sink) = 0;

    // Unpacks an uncompressed tar stream, whose first entry is the root itself, "./", into the volume: modes,
    // owners, links, and times to the second. When it fails a part may have been written. kConflict
    // "archive_refused": the engine would not unpack it.
    virtual Task<> write_volume(std::string volume, base::ByteSource& source) = 0;

    // Removes what such calls of another process left behind, when it is older than `age`: one that has died,
    // where no other may be at work.
    virtual Task<> remove_leftovers(std::chrono::seconds age) = 0;
    // What that would remove.
    virtual Task<std::vector<Leftover>> leftovers(std::chrono::seconds age) = 0;
};

}  // namespace agentdb9::runtime
