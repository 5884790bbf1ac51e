#include "support/kill_points/kill_points.hpp"

#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>

namespace agentdb9::testing {

KillPoints::Point::Point(KillPoints& points, std::string name) : points_(points), name_(std::move(name)) {
    const std::lock_guard lock(points_.mutex_);
    points_.read_orders();
    orders_ = points_.orders_;
    if (orders_.empty()) return;
    number_ = ++points_.counts_[name_];
    points_.meet(name_, number_, "before");
}

// A call that began before the counting did is none of those that are counted.
void KillPoints::Point::passed() {
    const std::lock_guard lock(points_.mutex_);
    points_.read_orders();
    if (number_ > 0 && points_.orders_ == orders_) points_.meet(name_, number_, "after");
}

void KillPoints::read_orders() {
    std::ifstream file(directory_ / "orders");
    std::string line;
    std::getline(file, line);
    if (line == orders_) return;
    orders_ = line;
    counts_.clear();
}

void KillPoints::meet(const std::string& name, std::uint64_t number, const std::string& when) {
    std::istringstream orders(orders_);
    std::string word;
    std::string verb;
    std::string at_name;
    std::uint64_t at_number = 0;
    std::string at_when;
    orders >> word >> verb >> at_name >> at_number >> at_when;
    {
        std::ofstream passed(directory_ / "passed", std::ios::app);
        passed << word << ' ' << name << ' ' << number << ' ' << when << '\n';
    }
    if (verb == "kill" && name == at_name && number == at_number && when == at_when)
        ::kill(::getpid(), SIGKILL);
}

}  // namespace agentdb9::testing
