// Where the server may be ended at once (SIGKILL to itself): before and after each call of the runtime, each
// piece of a volume's files that is read or written, and each commit of the store. Only `agentdb9_killable`
// has these points: the shipped program does not link this folder, in no build.
//
// The environment KILL_POINTS names a directory. In it lies the file `orders`, one line, read
// at every point, so that a test gives a new order to a server that runs:
//
//   WORD count                    note every point that is passed
//   WORD kill NAME NUMBER before  the same, and die before the NUMBERth call of NAME ("commit",
//   WORD kill NAME NUMBER after   "create_instance" …), or after it, before anybody hears of its result
//
// Counting begins anew when the line changes; WORD serves to make it another one. What was passed is appended
// to `passed`, a line a point: WORD NAME NUMBER before|after. Without the file nothing is counted.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <optional>
#include <string>

namespace agentdb9::testing {

// Any thread.
class KillPoints {
  public:
    explicit KillPoints(std::filesystem::path directory) : directory_(std::move(directory)) {}

    // One call of `name`; made before it.
    class Point {
      public:
        Point(KillPoints& points, std::string name);
        // The call has ended, without an exception.
        void passed();

      private:
        KillPoints& points_;
        std::string name_;
        std::uint64_t number_ = 0;
        std::string orders_;  // in force when it began
    };

  private:
    void read_orders();
    void meet(const std::string& name, std::uint64_t number, const std::string& when);

    const std::filesystem::path directory_;
    std::mutex mutex_;
    std::string orders_;
    std::map<std::string, std::uint64_t> counts_;
};

}  // namespace agentdb9::testing
