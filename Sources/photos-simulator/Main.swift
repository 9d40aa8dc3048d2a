import Foundation
import GoogleSimulator
import Glibc

/// Starts a simulator, says where it is, and waits for a signal to end it.
@main
struct Main {
    static func main() {
        let options: Options
        do {
            options = try Options(Array(CommandLine.arguments.dropFirst()))
        } catch {
            complain(error.description)
            exit(1)
        }
        if options.wantsHelp {
            FileHandle.standardOutput.write(Data(helpText.utf8))
            return
        }
        // Signals wait for sigwait below, also in threads that libmicrohttpd starts.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGTERM)
        sigaddset(&signals, SIGINT)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        signal(SIGPIPE, SIG_IGN)
        do {
            let simulator = try Simulator.start(options.configuration)
            FileHandle.standardOutput.write(Data((simulator.announcement + "\n").utf8))
            var received: Int32 = 0
            sigwait(&signals, &received)
            simulator.stop()
        } catch {
            complain("\(error)")
            exit(1)
        }
    }

    private static func complain(_ text: String) {
        FileHandle.standardError.write(Data("photos-simulator: \(text)\n".utf8))
    }
}
