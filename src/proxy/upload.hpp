// A request's body on its way from a worker to the control plane, piece by piece: one is read from the client
// when the one before has been taken, so that a body of any size needs little memory. Both sides hold it.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

#include "base/bytes.hpp"

namespace agentdb9::proxy {

class Upload final : public base::ByteSource, public std::enable_shared_from_this<Upload> {
  public:
    Upload(std::shared_ptr<asio::io_context> worker, asio::any_io_executor control);

    // On the control executor. Throws Error{kInvalid, "body_incomplete"} when the client broke off.
    Task<std::size_t> read(std::span<char> room) override;

    // All others on the worker's thread. Waits until a piece is wanted: then deliver, finish or fail. False:
    // none ever will be.
    Task<bool> wanted();
    void deliver(std::string bytes);
    void finish();
    void fail();
    void stop();
    // The coroutine that delivers has ended; the other waits for that.
    void pump_ended();
    Task<> stopped();

  private:
    enum class End { kNone, kWhole, kBroken };
    void hand_over(std::string bytes, End end);

    std::shared_ptr<asio::io_context> worker_;
    asio::any_io_executor control_;
    // The control executor's.
    base::Signal arrived_;
    std::string bytes_;
    std::size_t taken_ = 0;
    End end_ = End::kNone;
    bool asked_ = false;
    // The worker's.
    asio::steady_timer woken_;
    asio::steady_timer ended_timer_;
    bool wanted_ = false;
    bool stopping_ = false;
    // Either's: nobody may be left to run what is posted to the worker.
    std::atomic<bool> ended_ = false;
};

}  // namespace agentdb9::proxy
