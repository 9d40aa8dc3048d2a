import Foundation
import Logging
import PrivatePostgres

// A process for tests to kill: opens the private PostgreSQL of the home that its argument names, says so in a line, and
// leaves when its standard input ends.
do {
    let server = try await PrivatePostgres.open(home: CommandLine.arguments[1], logger: .none)
    FileHandle.standardOutput.write(Data("open\n".utf8))
    while readLine() != nil {}
    await server.close()
} catch {
    FileHandle.standardOutput.write(Data("\(error)\n".utf8))
    exit(1)
}
