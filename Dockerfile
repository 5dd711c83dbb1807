# The broker with its page for operators, and what they need at run time. How to build and run it: docs/container.md.
FROM node:24-bookworm-slim AS build
WORKDIR /build
COPY package.json package-lock.json ./
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY tsconfig.json tsconfig.build.json ./
COPY bin bin
COPY src src
RUN npm run build && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:24-bookworm-slim
ENV NODE_ENV=production
# What the broker writes: keys and ended sessions in the first folder, the admin socket in the second. 1000 is the image's user node.
RUN install -d -o 1000 -g 1000 -m 700 /var/lib/imap-broker /run/imap-broker \
 && ln -s /opt/imap-broker/dist/bin/imap-broker.js /usr/local/bin/imap-broker
WORKDIR /opt/imap-broker
COPY package.json LICENSE ./
COPY --from=build /build/node_modules node_modules
COPY --from=build /build/dist dist
COPY dashboard dashboard
USER 1000:1000
VOLUME /var/lib/imap-broker
EXPOSE 7143 7144
# By the admin socket, which the configuration has at its usual place.
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD ["imap-broker", "status"]
ENTRYPOINT ["imap-broker"]
CMD ["serve", "--config", "/etc/imap-broker/config.toml"]
