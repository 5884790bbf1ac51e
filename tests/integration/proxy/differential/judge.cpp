#include "judge.hpp"

#include <algorithm>

#include "support/mutation.hpp"

namespace agentdb9::test {
namespace {

using End = Believed::End;
using Verdict = std::optional<std::string>;

std::string described(const Seen& seen) {
    return escaped(seen.method + " " + seen.target + ", id " + seen.id) + ", a body of " +
           std::to_string(seen.body.size()) + " bytes\n";
}

std::string listed(const std::vector<Seen>& all) {
    std::string text;
    for (const auto& each : all)
        text += "    " + described(each);
    return text.empty() ? "    nothing\n" : text;
}

std::string statuses(const std::vector<Answer>& answers) {
    std::string text;
    for (const auto& each : answers)
        text += " " + std::to_string(each.status) + (each.recorded ? " (recorder)" : "");
    return text.empty() ? " none" : text;
}

bool same(const Seen& one, const Seen& other) {
    return one.method == other.method && one.target == other.target && one.id == other.id &&
           one.body == other.body;
}

// Whether it is what the data plane believes it to be, but for the body.
bool is_about(const Believed& one, const Seen& other, const Place& place) {
    if (one.method != other.method) return false;
    // The gateway takes its own parameters away.
    if (one.target.contains("agentdb9_")) return true;
    // Another door than the generator's leads there as well.
    if (!one.target.starts_with(place.prefix)) return one.target.ends_with(other.target);
    return one.target.substr(place.prefix.size()) == other.target;
}

// What was begun and not ended on a connection: only of a request whose head is good, and whose body did not
// come as it should.
Verdict compare_cut(const std::vector<Believed>& believed, const RequestReader& reader, const Place& place) {
    if (!reader.in_the_middle()) return std::nullopt;
    const auto begun = reader.begun();
    const auto is_it = [&](const Believed& each) {
        return (each.end == End::kCut || each.end == End::kMalformed) && is_about(each, *begun, place);
    };
    if (begun && std::ranges::any_of(believed, is_it)) return std::nullopt;
    return "passed on: something that is no request " + reader.broken() + "\n";
}

}  // namespace

void Counts::add(const Counts& other) {
    streams += other.streams;
    passed_on += other.passed_on;
    refused += other.refused;
    turned_away += other.turned_away;
    cut_off += other.cut_off;
    for (const auto& [what, times] : other.stricter)
        stricter[what] += times;
}

Lane::Lane(Plane& plane, std::size_t number) : plane_(plane), number_(number) {
    auto& route = plane.add(direct_.port(), plane.user);
    // Random ids would make streams that nobody can repeat.
    const auto last = std::to_string(number);
    const auto id = "a0eebc99-9c0b-4ef8-bb6d-" + std::string(12 - last.size(), '0') + last;
    route.workspace = *base::WorkspaceId::parse(id);
    api_ = {Plane::proxy(route, ""), kBearer};
    applications_ = {Plane::app(route, ""), Plane::cookie(route)};
    plane.publish();
}

void Lane::compare_with(const Server& nginx, const Server& haproxy) {
    servers_[index(Peer::kNginx)] = &nginx;
    servers_[index(Peer::kHaproxy)] = &haproxy;
}

Verdict Lane::judge(std::uint64_t seed, const Corpus& corpus) {
    ++counts_.streams;
    const bool by_api = seed % 2 == 0;
    const auto& place = by_api ? api_ : applications_;
    const auto stream = Generator(seed, place, corpus).make();
    const auto believed = believe(stream.bytes);
    const auto answered = static_cast<std::size_t>(
        std::ranges::count_if(believed, [](const Believed& each) { return each.end != End::kCut; }));
    const auto exchanged =
        exchange(by_api ? plane_.api() : plane_.apps(), stream.segments(), answered, direct_);
    count(believed, exchanged);

    auto verdict = compare_passed_on(believed, exchanged, place);
    std::string passed_on;
    for (const auto& each : direct_.connections()) {
        passed_on += "  on one connection:\n" + readable(each.reader.raw());
        std::size_t whole = 0;
        for (const auto& seen : each.seen)
            whole += seen.head.size() + seen.raw_body.size();
        const auto cut = each.reader.raw().substr(whole);
        for (const auto peer : kPeers)
            if (auto found = compare_with_peer(peer, each.seen, cut)) verdict = verdict.value_or("") + *found;
    }
    direct_.reset();
    if (!verdict) return std::nullopt;
    std::string text = *verdict + "sent, in " + std::to_string(stream.segments().size()) + " segments:\n" +
                       readable(stream.bytes) + "passed on:\n" + passed_on +
                       "answered:" + statuses(exchanged.answers) + "\n";
    return text;
}

void Lane::count(const std::vector<Believed>& believed, const Exchanged& exchanged) {
    for (std::size_t i = 0; i < believed.size(); ++i) {
        const bool is_answered = i < exchanged.answers.size();
        if (believed[i].end == End::kCut)
            ++counts_.cut_off;
        else if (believed[i].end != End::kWhole)
            ++counts_.refused;
        else if (is_answered)
            ++(exchanged.answers[i].recorded ? counts_.passed_on : counts_.turned_away);
    }
}

std::optional<std::string> Lane::compare_passed_on(const std::vector<Believed>& believed,
                                                   const Exchanged& exchanged, const Place& place) const {
    const auto& answers = exchanged.answers;
    if (!exchanged.in_time) return "the data plane waits for more than it was sent\n";
    if (answers.size() > believed.size()) return "the data plane answers more than it was asked\n";
    // After a refusal of its own it may close; not after an answer that it relayed.
    const auto asked =
        std::ranges::count_if(believed, [](const auto& each) { return each.end != End::kCut; });
    if (static_cast<std::ptrdiff_t>(answers.size()) < asked && (answers.empty() || answers.back().recorded))
        return "the data plane does not answer a request\n";

    const auto& seen = direct_.seen();
    std::size_t next = 0;
    for (std::size_t i = 0; i < answers.size(); ++i) {
        if (!answers[i].recorded) continue;
        if (believed[i].end != End::kWhole || next == seen.size() ||
            !is_about(believed[i], seen[next], place) || believed[i].body != seen[next].body)
            return "request " + std::to_string(i + 1) + " of the client's is not what was passed on:\n" +
                   listed(seen);
        ++next;
    }
    if (next != seen.size()) return "more was passed on than was asked for:\n" + listed(seen);
    for (const auto& each : seen)
        if (!each.doubt.empty()) return "passed on: " + each.doubt + "\n    " + described(each);
    for (const auto& each : direct_.connections())
        if (auto found = compare_cut(believed, each.reader, place)) return found;
    return std::nullopt;
}

std::optional<std::string> Lane::compare_with_peer(Peer peer, std::vector<Seen> expected,
                                                   const std::string& cut) {
    while (!expected.empty() || !cut.empty()) {
        std::string bytes;
        for (const auto& each : expected)
            bytes += each.head + each.raw_body;
        const auto [exchanged, seen] = ask(peer, bytes + cut, expected.size());
        const auto& answers = exchanged.answers;
        const auto differs = [&](const std::string& how) {
            return std::string(name_of(peer)) + " " + how + "; it takes what was passed on for\n" +
                   listed(seen) + "  where we see\n" + listed(expected) + "  and answers" +
                   statuses(answers) + "\n";
        };
        std::vector<std::pair<Seen, int>> refused;
        std::size_t next = 0;
        for (std::size_t i = 0; i < answers.size(); ++i) {
            if (i >= expected.size()) {
                // Its opinion of what is not whole.
                if (answers[i].recorded || cut.empty() || i > expected.size())
                    return differs("answers too much");
            } else if (!answers[i].recorded) {
                refused.emplace_back(expected[i], answers[i].status);
            } else if (next == seen.size() || !same(expected[i], seen[next++])) {
                return differs("has another request");
            }
        }
        if (next != seen.size()) return differs("has more requests");
        for (const auto& [request, status] : refused)
            if (auto found = compare_refused(peer, request, status)) return found;
        if (!exchanged.in_time) return differs("waits for more");
        if (answers.size() >= expected.size()) return std::nullopt;
        if (answers.empty() || answers.back().recorded) return differs("does not answer a request");
        // It closed at what it refused: what comes after that, on another connection.
        expected.erase(expected.begin(), expected.begin() + static_cast<std::ptrdiff_t>(answers.size()));
    }
    return std::nullopt;
}

std::optional<std::string> Lane::compare_refused(Peer peer, const Seen& refused, int status) {
    const auto plain = plain_head(refused.head);
    const std::string after = "GET /after HTTP/1.1\r\nHost: a\r\nX-Request-Id: after\r\n\r\n";
    const auto [exchanged, seen] = ask(peer, plain + refused.raw_body + after, 2);
    if (seen.size() == 2 && seen[0].body == refused.body && seen[0].id == refused.id &&
        seen[1].target == "/after" && exchanged.answers.size() == 2) {
        ++counts_.stricter[std::string(name_of(peer)) + " " + std::to_string(status)];
        return std::nullopt;
    }
    return std::string(name_of(peer)) + " refuses with " + std::to_string(status) + ":\n    " +
           described(refused) + "  and takes the same with a plain head\n" + readable(plain) + "  for\n" +
           listed(seen) + "  and answers" + statuses(exchanged.answers) + "\n";
}

Lane::Made Lane::ask(Peer peer, const std::string& bytes, std::size_t answers) {
    auto& recorder = behind_[index(peer)];
    auto exchanged =
        exchange(Connection::to_unix(servers_[index(peer)]->socket(number_)), {bytes}, answers, recorder);
    return {std::move(exchanged), recorder.take()};
}

}  // namespace agentdb9::test
