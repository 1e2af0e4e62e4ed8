import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type CertificateFiles, clientAuthority, serverCertificate } from '../certificates.js';
import type { Maildrop, Peer, RunningPeer } from './peer.js';

/** A running server and everything on disk that belongs to it. */
export interface PeerWorld {
  readonly server: RunningPeer;
  readonly directory: string;
  /** A PEM file with the certificate clients have to trust. */
  readonly certificate: string;
  /** Who signs certificates of clients. */
  readonly authority: CertificateFiles;
  /** Ends the server, and removes every file. */
  close(): Promise<void>;
}

export async function startPeer(peer: Peer, maildrops: readonly Maildrop[]): Promise<PeerWorld> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'pop3-peer-')));
  // The processes that serve a maildrop are not root.
  await chmod(directory, 0o755);
  const remove = (): Promise<void> => rm(directory, { recursive: true, force: true });
  try {
    const authority = await clientAuthority(directory);
    const files = await serverCertificate(directory);
    const server = await peer.start({ directory, ...files, authority: authority.certificate, maildrops });
    return {
      server,
      directory,
      certificate: files.certificate,
      authority,
      async close() {
        await server.kill();
        await remove();
      },
    };
  } catch (error) {
    await remove();
    throw error;
  }
}
