/*
 * Kafka's generated message classes as judge of src/wire: lines of tab-separated fields in, one line out for each.
 *   versions                              name, lowest, highest of every message
 *   apis                                  key, name of every API that a broker offers to clients
 *   errors                                code, name of every entry of Errors, and whether it is retriable
 *   exchange NAME VERSION JSON HEX        what Java writes for JSON, and what Java writes after it has read HEX
 */
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.errors.RetriableException;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Errors;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.Readable;

public final class CodecOracle {
  private static final String HOME = "org.apache.kafka.common.message.";
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Map<String, Kind> KINDS = new HashMap<>();

  private CodecOracle() {}

  private static final class Kind {
    final Class<?> type;
    final Constructor<?> reader;
    final Method fromJson;

    Kind(String name) throws Exception {
      Class<?> found;
      try {
        found = Class.forName(HOME + name + "Data");
      } catch (ClassNotFoundException other) {
        found = Class.forName(HOME + name);
      }
      type = found;
      reader = type.getConstructor(Readable.class, short.class);
      fromJson = Class.forName(type.getName() + "JsonConverter").getMethod("read", JsonNode.class, short.class);
    }

    short constant(String name) throws Exception {
      return type.getField(name).getShort(null);
    }
  }

  public static void main(String[] args) throws Exception {
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    PrintStream out = new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.UTF_8);
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      out.println(answerTo(line.split("\t", -1)));
      if (!in.ready()) out.flush();
    }
    out.flush();
  }

  private static String answerTo(String[] words) {
    try {
      switch (words[0]) {
        case "versions":
          return versions(words);
        case "apis":
          return apis();
        case "errors":
          return errors();
        case "exchange":
          return exchange(words[1], Short.parseShort(words[2]), words[3], words[4]);
        default:
          return "ERROR\tno such command";
      }
    } catch (Throwable error) {
      Throwable cause = error;
      while (cause.getCause() != null) cause = cause.getCause();
      return "ERROR\t" + cause.toString().replace('\n', ' ').replace('\t', ' ');
    }
  }

  private static Kind kind(String name) throws Exception {
    Kind known = KINDS.get(name);
    if (known == null) KINDS.put(name, known = new Kind(name));
    return known;
  }

  /** For each name that was asked: name low high, or name alone where these jars have no such message. */
  private static String versions(String[] words) throws Exception {
    List<String> out = new ArrayList<>();
    for (int i = 1; i < words.length; i++) {
      try {
        Kind kind = kind(words[i]);
        out.add(words[i] + " " + kind.constant("LOWEST_SUPPORTED_VERSION") + " " + kind.constant("HIGHEST_SUPPORTED_VERSION"));
      } catch (ClassNotFoundException missing) {
        out.add(words[i]);
      }
    }
    return String.join("\t", out);
  }

  private static String apis() {
    List<String> out = new ArrayList<>();
    for (ApiMessageType api : ApiMessageType.values()) {
      boolean forClients = api.listeners().stream().anyMatch(one -> one.name().equals("BROKER") || one.name().equals("ZK_BROKER"));
      boolean hasVersions = api.lowestSupportedVersion() <= api.highestSupportedVersion(true);
      if (forClients && hasVersions) out.add(api.apiKey() + " " + api.requestSchemas().length + " " + api.name());
    }
    return String.join("\t", out);
  }

  private static String errors() {
    List<String> out = new ArrayList<>();
    for (Errors error : Errors.values())
      out.add(error.code() + " " + error.name() + " " + (error.exception() instanceof RetriableException));
    return String.join("\t", out);
  }

  private static String exchange(String name, short version, String json, String hex) throws Exception {
    Kind kind = kind(name);
    String fromJson = write((Message) kind.fromJson.invoke(null, JSON.readTree(json), version), version);
    ByteBuffer ours = ByteBuffer.wrap(HexFormat.of().parseHex(hex));
    Message read = (Message) kind.reader.newInstance(new ByteBufferAccessor(ours), version);
    if (ours.hasRemaining()) return "ERROR\tJava leaves " + ours.remaining() + " bytes unread of " + hex;
    return fromJson + "\t" + write(read, version);
  }

  private static String write(Message message, short version) {
    ObjectSerializationCache cache = new ObjectSerializationCache();
    ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
    message.write(new ByteBufferAccessor(buffer), cache, version);
    if (buffer.hasRemaining()) throw new IllegalStateException("short write");
    return HexFormat.of().formatHex(buffer.array());
  }
}
