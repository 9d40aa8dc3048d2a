/// What a handler wants done with a request whose head has arrived.
package enum Reception: Sendable {
    /// Read and forget the body, then answer.
    case answer(ServerAnswer)
    /// Hand over the body as it arrives; the receiver answers.
    case receive(any BodyReceiver)
    /// Answer at once, read nothing of the body, and end the connection.
    case refuse(ServerAnswer)
}

/// Takes one request's body and answers it; all calls come from the connection's own thread, one after the other.
package protocol BodyReceiver: AnyObject, Sendable {
    /// Takes the next bytes, which are gone afterwards; false breaks the connection with a reset.
    func receive(_ bytes: UnsafeRawBufferPointer) -> Bool
    /// The body has ended as HTTP says it should.
    func finish() -> ServerAnswer
    /// The connection went away before the end; neither `receive` nor `finish` follows.
    func abandon()
}
