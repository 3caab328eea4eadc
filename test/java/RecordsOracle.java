/*
 * Kafka's own record classes as judge and source for src/wire/records: JSON lines in, JSON lines out, bytes as Base64.
 * `write` builds batches, `read` validates and lists them, `lz4` makes frames with every flag, `murmur2` hashes.
 */
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import net.jpountz.lz4.LZ4FrameOutputStream;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.compress.Lz4BlockOutputStream;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.CompressionType;
import org.apache.kafka.common.record.ControlRecordType;
import org.apache.kafka.common.record.EndTransactionMarker;
import org.apache.kafka.common.record.MemoryRecords;
import org.apache.kafka.common.record.MemoryRecordsBuilder;
import org.apache.kafka.common.record.MutableRecordBatch;
import org.apache.kafka.common.record.Record;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.utils.Utils;

public final class RecordsOracle {
  private RecordsOracle() {}

  public static void main(String[] args) throws Exception {
    ObjectMapper json = new ObjectMapper();
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      Map<String, Object> answer = new LinkedHashMap<>();
      try {
        answer.put("result", answerTo(json.readTree(line)));
      } catch (Exception error) {
        answer.put("error", error.toString());
      }
      System.out.println(json.writeValueAsString(answer));
    }
  }

  private static Object answerTo(JsonNode command) throws Exception {
    switch (command.get("op").asText()) {
      case "write":
        return base64(command.has("marker") ? marker(command) : write(command));
      case "read":
        return read(bytes(command.get("records")));
      case "lz4":
        return base64(ByteBuffer.wrap(lz4(command)));
      case "murmur2":
        List<Integer> hashes = new ArrayList<>();
        for (JsonNode key : command.get("keys")) hashes.add(Utils.murmur2(bytes(key)));
        return hashes;
      default:
        throw new IllegalArgumentException("unknown op");
    }
  }

  private static ByteBuffer write(JsonNode c) {
    byte magic = (byte) c.get("magic").asInt();
    boolean append = c.hasNonNull("appendTimestamp");
    TimestampType type = magic == 0 ? TimestampType.NO_TIMESTAMP_TYPE : append ? TimestampType.LOG_APPEND_TIME : TimestampType.CREATE_TIME;
    MemoryRecordsBuilder builder =
        MemoryRecords.builder(
            ByteBuffer.allocate(4096),
            magic,
            Compression.of(CompressionType.forName(c.get("codec").asText())).build(),
            type,
            c.path("baseOffset").asLong(0),
            append ? c.get("appendTimestamp").asLong() : -1L,
            c.path("producerId").asLong(-1),
            (short) c.path("producerEpoch").asInt(-1),
            c.path("baseSequence").asInt(-1),
            c.path("transactional").asBoolean(false),
            c.path("leaderEpoch").asInt(-1));
    for (JsonNode r : c.get("records")) {
      byte[] key = bytes(r.get("key"));
      byte[] value = bytes(r.get("value"));
      long timestamp = magic == 0 ? -1 : r.get("timestamp").asLong();
      long offset = r.get("offset").asLong();
      if (magic < 2) builder.appendWithOffset(offset, timestamp, key, value);
      else builder.appendWithOffset(offset, timestamp, key, value, headers(r.path("headers")));
    }
    return builder.build().buffer();
  }

  private static ByteBuffer marker(JsonNode c) {
    ControlRecordType type = c.get("marker").asText().equals("commit") ? ControlRecordType.COMMIT : ControlRecordType.ABORT;
    return MemoryRecords.withEndTransactionMarker(
            c.get("baseOffset").asLong(),
            c.get("timestamp").asLong(),
            c.path("leaderEpoch").asInt(3),
            c.get("producerId").asLong(),
            (short) c.get("producerEpoch").asInt(),
            new EndTransactionMarker(type, 0))
        .buffer();
  }

  private static Object read(byte[] records) {
    List<Object> batches = new ArrayList<>();
    for (MutableRecordBatch batch : MemoryRecords.readableRecords(ByteBuffer.wrap(records)).batches()) {
      batch.ensureValid();
      Map<String, Object> out = new LinkedHashMap<>();
      out.put("magic", batch.magic());
      out.put("codec", batch.compressionType().name);
      out.put("lastOffset", batch.lastOffset());
      out.put("nextOffset", batch.nextOffset());
      out.put("producerId", batch.producerId());
      out.put("producerEpoch", batch.producerEpoch());
      out.put("baseSequence", batch.baseSequence());
      out.put("maxTimestamp", batch.maxTimestamp());
      out.put("control", batch.isControlBatch());
      out.put("transactional", batch.isTransactional());
      List<Object> list = new ArrayList<>();
      for (Record record : batch) {
        record.ensureValid();
        list.add(plain(record));
      }
      out.put("records", list);
      batches.add(out);
    }
    return batches;
  }

  private static Map<String, Object> plain(Record record) {
    Map<String, Object> out = new LinkedHashMap<>();
    out.put("offset", record.offset());
    out.put("timestamp", record.timestamp());
    out.put("key", base64(record.key()));
    out.put("value", base64(record.value()));
    List<Object> headers = new ArrayList<>();
    for (Header header : record.headers()) {
      List<Object> pair = new ArrayList<>();
      pair.add(header.key());
      pair.add(header.value() == null ? null : Base64.getEncoder().encodeToString(header.value()));
      headers.add(pair);
    }
    out.put("headers", headers);
    return out;
  }

  /** A frame by Kafka's writer (with its old header checksum, if asked) or by the lz4 library's own (content size and checksum). */
  private static byte[] lz4(JsonNode c) throws Exception {
    byte[] plain = bytes(c.get("plain"));
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    boolean blockSums = c.path("blockChecksums").asBoolean(false);
    try (OutputStream frame = c.path("library").asBoolean(false) ? libraryFrame(out, plain.length, blockSums) : kafkaFrame(out, c, blockSums)) {
      frame.write(plain);
    }
    return out.toByteArray();
  }

  private static OutputStream kafkaFrame(OutputStream out, JsonNode c, boolean blockSums) throws Exception {
    return new Lz4BlockOutputStream(out, c.path("blockSize").asInt(4), 9, blockSums, c.path("brokenHeader").asBoolean(false));
  }

  private static OutputStream libraryFrame(OutputStream out, long size, boolean blockSums) throws Exception {
    List<LZ4FrameOutputStream.FLG.Bits> bits = new ArrayList<>();
    bits.add(LZ4FrameOutputStream.FLG.Bits.BLOCK_INDEPENDENCE);
    bits.add(LZ4FrameOutputStream.FLG.Bits.CONTENT_SIZE);
    bits.add(LZ4FrameOutputStream.FLG.Bits.CONTENT_CHECKSUM);
    if (blockSums) bits.add(LZ4FrameOutputStream.FLG.Bits.BLOCK_CHECKSUM);
    return new LZ4FrameOutputStream(
        out, LZ4FrameOutputStream.BLOCKSIZE.SIZE_256KB, size, bits.toArray(new LZ4FrameOutputStream.FLG.Bits[0]));
  }

  private static Header[] headers(JsonNode list) {
    List<Header> out = new ArrayList<>();
    for (JsonNode pair : list) out.add(new RecordHeader(pair.get(0).asText(), bytes(pair.get(1))));
    return out.toArray(new Header[0]);
  }

  private static byte[] bytes(JsonNode node) {
    return node == null || node.isNull() ? null : Base64.getDecoder().decode(node.asText());
  }

  private static String base64(ByteBuffer buffer) {
    return buffer == null ? null : Base64.getEncoder().encodeToString(Utils.toArray(buffer.duplicate()));
  }
}
