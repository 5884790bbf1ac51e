// One stream: sent through the data plane, and what was passed on sent to nginx and HAProxy. All must take it
// for the same requests.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "../plane.hpp"
#include "belief.hpp"
#include "generator.hpp"
#include "recorder.hpp"
#include "servers.hpp"

namespace agentdb9::test {

struct Counts {
    std::size_t streams = 0;
    std::size_t passed_on = 0;    // requests that an upstream answered
    std::size_t refused = 0;      // heads and bodies that are malformed to us
    std::size_t turned_away = 0;  // answered by ourselves for another reason: no credential, another path
    std::size_t cut_off = 0;      // streams that end within a request
    // Requests that a peer refused, by its name and status, and that it frames as we do.
    std::map<std::string, std::size_t> stricter;
    void add(const Counts& other);
};

// What one thread needs to judge streams, one after the other.
class Lane {
  public:
    // Recorders of its own, and an application of its own on `plane`, which outlives it.
    explicit Lane(Plane& plane, std::size_t number);

    std::uint16_t recorder_port(Peer peer) const { return behind_[index(peer)].port(); }
    // They outlive it; their lane of this number is relayed to recorder_port().
    void compare_with(const Server& nginx, const Server& haproxy);

    // The same seed, the same stream. Absent: all agree; else who thinks what, for people.
    std::optional<std::string> judge(std::uint64_t seed, const Corpus& corpus);
    const Counts& counts() const { return counts_; }

  private:
    static std::size_t index(Peer peer) { return static_cast<std::size_t>(peer); }
    // What we believe, and what stands in the bytes.
    std::optional<std::string> compare_passed_on(const std::vector<Believed>& believed,
                                                 const Exchanged& exchanged, const Place& place) const;
    void count(const std::vector<Believed>& believed, const Exchanged& exchanged);
    // What `peer` makes of `expected` and of `cut`, which follows and is no whole request.
    std::optional<std::string> compare_with_peer(Peer peer, std::vector<Seen> expected,
                                                 const std::string& cut);
    // A refusal harms nobody, where it is not for another idea of where the request ends.
    std::optional<std::string> compare_refused(Peer peer, const Seen& refused, int status);
    struct Made {
        Exchanged exchanged;
        std::vector<Seen> seen;
    };
    Made ask(Peer peer, const std::string& bytes, std::size_t answers);

    Plane& plane_;
    std::size_t number_;
    Recorder direct_;
    Recorder behind_[std::size(kPeers)];
    const Server* servers_[std::size(kPeers)] = {};
    Place api_;
    Place applications_;
    Counts counts_;
};

}  // namespace agentdb9::test
