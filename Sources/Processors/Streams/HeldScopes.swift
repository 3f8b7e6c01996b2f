internal import TelemetryData
internal import WireFormat

/// The resources and scopes of items that were copied out of their batches, each once.
struct HeldScopes {
  private struct Resource {
    /// The `Resource` message and the schema URL, as fields of what holds the scopes.
    let fields: [UInt8]
    var scopes: [Int] = []
  }
  private struct Scope {
    /// The `InstrumentationScope` message and the schema URL, as fields of what holds the items.
    let fields: [UInt8]
  }
  private let seed: StreamSeed
  private var resources: [Resource] = []
  private var scopes: [Scope] = []
  private var resourcePlaces: [StreamID: Int] = [:]
  private var scopePlaces: [StreamID: Int] = [:]
  /// The bytes they take, about.
  private(set) var byteCount = 0

  init(_ seed: StreamSeed) { self.seed = seed }

  /// The place of a scope of a batch, whose identity the caller knows.
  mutating func place(of scope: Int, _ id: StreamID, in batch: Batch) -> Int {
    if let place = scopePlaces[id] { return place }
    let owner = Int(batch.index.scopes[scope].resource)
    let resourceID = StreamScopes.resourceID(owner, in: batch, seed)
    let resource: Int
    if let place = resourcePlaces[resourceID] {
      resource = place
    } else {
      resource = resources.count
      resourcePlaces[resourceID] = resource
      let view = batch.resource(at: owner)
      resources.append(Resource(fields: Self.fields(view.message, schemaURL: view.schemaURL)))
      byteCount += resources[resource].fields.count + 96
    }
    let view = batch.scope(at: scope)
    let place = scopes.count
    scopes.append(Scope(fields: Self.fields(view.message, schemaURL: view.schemaURL)))
    scopePlaces[id] = place
    resources[resource].scopes.append(place)
    byteCount += scopes[place].fields.count + 96
    return place
  }

  private static func fields(_ message: WireMessage, schemaURL: BytesView) -> [UInt8] {
    var writer = WireWriter(capacity: message.range.count + schemaURL.count + 16)
    writer.bytesField(1, message.bytes.extracting(message.range.range))
    if !schemaURL.isEmpty { writer.bytesField(3, schemaURL.span) }
    return writer.finish()
  }

  /// A batch of all of them.
  ///
  /// - Parameter items: writes the items of a scope, each as a field 2.
  func batch(_ signal: Signal, capacity: Int, items: (_ scope: Int, _ writer: inout WireWriter) -> Void)
    -> Batch?
  {
    var writer = WireWriter(capacity: capacity)
    for resource in resources {
      writer.message(1) { writer in
        writer.write(resource.fields.span)
        for scope in resource.scopes {
          writer.message(2) { writer in
            let fields = scopes[scope].fields
            writer.write(fields.span)
            items(scope, &writer)
          }
        }
      }
    }
    // What is made of checked messages is well-formed; only 4 GiB of it could not be addressed.
    return try? Batch(bytes: writer.finish(), signal: signal, validation: .framing)
  }
}
