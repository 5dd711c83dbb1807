import { BrokerError } from '../../../protocol/errors.js';
import { KeyFileError } from '../../../session/key-ring.js';
import { deed } from '../../operators/operator-action.js';

export default deed<'keys.rotate'>(async ({ services }) => {
  try {
    return services.operations.rotateKeys();
  } catch (error) {
    // A file that the broker may only read, as a credential of systemd, is rotated where it comes from.
    if (error instanceof KeyFileError)
      throw new BrokerError('FORBIDDEN', `The broker can do nothing: ${error.message}.`, { cause: error });
    throw error;
  }
});
